import Bytewise
internal import CLibav

/// The default of an option, and how it is written.
enum OptionDefault {
    case integer(Int64)
    case real(Double)
    case text(String?)

    /// The table's default; the value in `object`, a context with this option, when there is one.
    init(_ option: UnsafePointer<AVOption>, type: OptionType, in object: UnsafeMutableRawPointer?) {
        if clibav_option_is_array(option) != 0 {
            self = .text(clibav_option_array_default(option).map { String(cString: $0) })
            return
        }
        let tables = option.pointee.default_val
        switch type.storage {
        case .integer:
            var value: Int64 = 0
            let found = object.map { av_opt_get_int($0, option.pointee.name, 0, &value) >= 0 } ?? false
            self = .integer(found ? value : tables.i64)
        case .real:
            var value = 0.0
            let found = object.map { av_opt_get_double($0, option.pointee.name, 0, &value) >= 0 } ?? false
            self = .real(found ? value : tables.dbl)
        case .text:
            self = .text(type == .binary || type == .unknown ? nil : tables.str.map { String(cString: $0) })
        }
    }

    /// As the option would take it. `constants` are the named values of the option's unit.
    func written(as type: OptionType, constants: [UnsafePointer<AVOption>]) -> String? {
        switch self {
        case .text(let text): text
        case .real(let value): Self.write(value, as: type)
        case .integer(let value): Self.write(value, as: type, constants: constants)
        }
    }

    /// Nil for NaN, which stands for "not set".
    private static func write(_ value: Double, as type: OptionType) -> String? {
        if value.isNaN { return nil }
        if type == .rational {
            let fraction = av_d2q(value, Int32.max)
            return "\(fraction.num)/\(fraction.den)"
        }
        let text = type == .float ? Float(value).description : value.description
        return text.without(suffix: ".0") ?? text
    }

    private static func write(
        _ value: Int64, as type: OptionType, constants: [UnsafePointer<AVOption>]
    ) -> String? {
        switch type {
        case .boolean: value < 0 ? "auto" : value != 0 ? "true" : "false"
        case .flags: flags(value, constants)
        case .duration: seconds(microseconds: value)
        case .pixelFormat: PixelFormat(AVPixelFormat(Int32(truncatingIfNeeded: value))).name
        case .sampleFormat: AudioFormat(AVSampleFormat(Int32(truncatingIfNeeded: value))).name
        case .layoutMask: value == 0 ? nil : "0x" + String(UInt64(bitPattern: value), radix: 16)
        case .uint64: name(of: value, constants) ?? "\(UInt64(bitPattern: value))"
        default: name(of: value, constants) ?? "\(value)"
        }
    }

    private static func name(of value: Int64, _ constants: [UnsafePointer<AVOption>]) -> String? {
        constants.first { $0.pointee.default_val.i64 == value }.map { String(cString: $0.pointee.name) }
    }

    /// "a+b". A constant that is part of one already named is left out.
    private static func flags(_ value: Int64, _ constants: [UnsafePointer<AVOption>]) -> String {
        var names: [String] = []
        var rest = value
        for constant in constants {
            let bits = constant.pointee.default_val.i64
            guard bits & rest != 0, bits & ~value == 0 else { continue }
            names.append(String(cString: constant.pointee.name))
            rest &= ~bits
        }
        return rest == 0 && !names.isEmpty ? names.joined(separator: "+") : "\(value)"
    }

    /// Nil for the extremes, which stand for "not set" and "forever" and can't be asked for.
    private static func seconds(microseconds value: Int64) -> String? {
        guard value != .min && value != .max else { return nil }
        let (whole, part) = value.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        var text = (value < 0 ? "-" : "") + "\(whole)"
        guard part > 0 else { return text }
        let digits = "\(part)"
        text += "." + String(repeating: "0", count: 6 - digits.count) + digits
        while text.last == "0" { text.removeLast() }
        return text
    }
}
