internal import CLibav

/// What the numbers of a picture stand for. Describes them; converts nothing.
package struct ColorDescription: Sendable, Equatable {
    package enum Property: Sendable, CaseIterable { case range, primaries, transfer, matrix }

    private var values: [Property: UInt32] = [:]

    package init() {}

    /// The property by libav's name; false when there is no such name.
    package mutating func set(_ property: Property, to name: String) -> Bool {
        guard let value = Self.table(of: property).first(where: { $0.name == name })?.value else { return false }
        values[property] = value
        return true
    }

    /// libav's names for a property's values.
    package static func names(of property: Property) -> [String] { table(of: property).map(\.name) }

    /// A property's name; nil when nothing is known of it.
    package subscript(property: Property) -> String? {
        guard let value = values[property], !Self.isUnspecified(value, property) else { return nil }
        return Self.table(of: property).first { $0.value == value }?.name
    }

    private static func isUnspecified(_ value: UInt32, _ property: Property) -> Bool {
        value == (property == .range ? AVCOL_RANGE_UNSPECIFIED.rawValue : AVCOL_SPC_UNSPECIFIED.rawValue)
    }

    /// Nothing is said about it any more.
    package mutating func forget(_ property: Property) { values[property] = nil }

    /// With what `other` says about the rest.
    package func filled(from other: ColorDescription) -> ColorDescription {
        var result = self
        result.values.merge(other.values) { own, _ in own }
        return result
    }

    /// What a frame says, without what it leaves open.
    init(of frame: UnsafePointer<AVFrame>) {
        let frame = frame.pointee
        values = [
            .range: frame.color_range.rawValue, .primaries: frame.color_primaries.rawValue,
            .transfer: frame.color_trc.rawValue, .matrix: frame.colorspace.rawValue,
        ].filter { !Self.isUnspecified($1, $0) }
    }

    func apply(to context: UnsafeMutablePointer<AVCodecContext>) {
        if let value = values[.range] { context.pointee.color_range = AVColorRange(value) }
        if let value = values[.primaries] { context.pointee.color_primaries = AVColorPrimaries(value) }
        if let value = values[.transfer] { context.pointee.color_trc = AVColorTransferCharacteristic(value) }
        if let value = values[.matrix] { context.pointee.colorspace = AVColorSpace(value) }
    }

    func apply(to frame: UnsafeMutablePointer<AVFrame>) {
        if let value = values[.range] { frame.pointee.color_range = AVColorRange(value) }
        if let value = values[.primaries] { frame.pointee.color_primaries = AVColorPrimaries(value) }
        if let value = values[.transfer] { frame.pointee.color_trc = AVColorTransferCharacteristic(value) }
        if let value = values[.matrix] { frame.pointee.colorspace = AVColorSpace(value) }
    }

    /// The standards number these up to here, with holes.
    private static let valueCount: UInt32 = 64

    private static func table(of property: Property) -> [(value: UInt32, name: String)] {
        (0..<valueCount).compactMap { value in
            let name = switch property {
            case .range: av_color_range_name(AVColorRange(value))
            case .primaries: av_color_primaries_name(AVColorPrimaries(value))
            case .transfer: av_color_transfer_name(AVColorTransferCharacteristic(value))
            case .matrix: av_color_space_name(AVColorSpace(value))
            }
            guard let name, strcmp(name, "reserved") != 0 else { return nil }
            return (value, String(cString: name))
        }
    }
}
