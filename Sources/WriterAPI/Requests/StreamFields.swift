import Bytewise
import StreamWriter
import WriterModel

// How the parameters of streams are read and shown.
extension JSONObject {
    mutating func set(_ name: String, _ value: Int?) {
        if let value { self[name] = .integer(Int64(value)) }
    }

    mutating func set(_ name: String, _ text: String?) {
        if let text { self[name] = .string(text) }
    }

    mutating func set(_ name: String, _ list: [String]) {
        if !list.isEmpty { self[name] = .array(list.map { .string($0) }) }
    }

    mutating func set(_ name: String, _ map: [String: String]) {
        if !map.isEmpty { self[name] = .map(map) }
    }
}

extension FieldReader {
    /// Any number where it is missing, which `finish` says.
    mutating func requiredInteger(_ name: String) throws(Problem) -> Int {
        if let value = try integer(name) { return value }
        lacks(name, "is needed: a whole number")
        return 1
    }

    /// A rate as a number or as text ("30000/1001").
    mutating func rate(_ name: String) throws(Problem) -> Rational? {
        let rate: Rational?
        switch value(name) {
        case nil: return nil
        case .string(let text): rate = Rational(parsing: text)
        case .integer(let number): rate = Rational(Double(number))
        case .number(let number): rate = Rational(number)
        default: rate = nil
        }
        guard let rate else { throw problem(name, "must be a positive number or a fraction such as \"30000/1001\"") }
        return rate
    }

    /// One of a few words.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(Problem) -> Choice? where Choice.RawValue == String {
        guard let text = try string(name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        throw problem(name, "is \(words.joined(separator: " or ")), and not \"\(text.shortened())\"", supported: words)
    }

    /// A ratio as "4:3", "40/33" or a number.
    mutating func ratio(_ name: String) throws(Problem) -> Rational? {
        guard let value = value(name) else { return nil }
        let ratio: Rational? = switch value {
        case .string(let text): Rational(parsing: text.parts(at: ":").joined(separator: "/"))
        case .integer(let number): Rational(Double(number))
        case .number(let number): Rational(number)
        default: nil
        }
        guard let ratio else { throw problem(name, "must be a ratio such as \"4:3\" or \"40/33\"") }
        return ratio
    }

    /// Names in an array, or in one string with "+" between them, as a query has to have it.
    mutating func names(_ name: String) throws(Problem) -> [String] {
        switch value(name) {
        case nil: return []
        case .string(let text): return text.parts(at: "+", omittingEmpty: true)
        case .array(let elements):
            let names = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
            if names.count == elements.count { return names }
        default: break
        }
        throw problem(name, "must be an array of names")
    }

    mutating func colorConfig() throws(Problem) -> ColorConfig {
        ColorConfig(
            range: try string("color_range"), primaries: try string("color_primaries"),
            transfer: try string("color_trc"), space: try string("colorspace"))
    }

    /// The seed's CodecConfig; its pictures' part is for video only.
    mutating func codecConfig(ofVideo: Bool) throws(Problem) -> CodecConfig {
        guard let json = value("codec_config") else { return CodecConfig() }
        var fields = try FieldReader(json, at: pointer(to: "codec_config"), .codecConfig)
        // The seed's -1 stands for "not set".
        func given(_ value: Int?) -> Int? { value == -1 ? nil : value }
        var config = CodecConfig(
            bitRate: given(try fields.count("bit_rate")),
            compressionLevel: given(try fields.integer("compression_level")),
            qscale: try fields.number("qscale"))
        if ofVideo {
            config.gopSize = given(try fields.integer("gop_size"))
            config.maxBFrames = given(try fields.integer("max_b_frames"))
        }
        try fields.finish()
        return config
    }
}

extension CodecConfig {
    func add(to object: inout JSONObject) {
        var fields = JSONObject()
        fields.set("bit_rate", bitRate)
        fields.set("compression_level", compressionLevel)
        fields["qscale"] = qscale.map { .number($0) }
        fields.set("gop_size", gopSize)
        fields.set("max_b_frames", maxBFrames)
        if !fields.members.isEmpty { object["codec_config"] = .object(fields) }
    }
}
