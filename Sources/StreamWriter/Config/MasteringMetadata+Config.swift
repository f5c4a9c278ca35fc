import Bytewise
import Libav

extension MasteringMetadata {
    init(_ config: VideoStreamConfig) throws(StreamWriterError) {
        self.init()
        if let text = config.masteringDisplay { try readDisplay(text) }
        if let text = config.contentLightLevel { try readLightLevel(text) }
    }

    /// As x265 has it: "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)".
    private mutating func readDisplay(_ text: String) throws(StreamWriterError) {
        var values: [String: [UInt32]] = [:]
        for part in text.parts(at: ")", omittingEmpty: true) {
            let sides = part.parts(at: "(")
            guard sides.count == 2, let pair = Self.pair(sides[1]), values.updateValue(pair, forKey: sides[0]) == nil else {
                throw Self.invalidDisplay
            }
        }
        guard values.count == 5, let green = values["G"], let blue = values["B"], let red = values["R"],
            let white = values["WP"], let luminance = values["L"], text.ends(with: ")")
        else { throw Self.invalidDisplay }
        chromaticities = green + blue + red + white
        guard chromaticities!.allSatisfy({ $0 <= 50_000 }), luminance[1] < luminance[0] else { throw Self.invalidDisplay }
        self.luminance = luminance
    }

    private mutating func readLightLevel(_ text: String) throws(StreamWriterError) {
        guard let pair = Self.pair(text), pair.allSatisfy({ $0 <= UInt16.max }) else {
            throw StreamWriterError(
                .invalidParameter,
                "content_light_level must be two numbers from 0 to 65535, the brightest pixel and the brightest frame in cd/m2, as in 1000,400",
                parameter: "content_light_level")
        }
        lightLevel = pair
    }

    /// "13250,34500"
    private static func pair(_ text: String) -> [UInt32]? {
        let numbers = text.parts(at: ",").map { part -> UInt32? in
            guard !part.isEmpty, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(part) else { return nil }
            return number <= Int32.max ? number : nil
        }
        guard numbers.count == 2, let first = numbers[0], let second = numbers[1] else { return nil }
        return [first, second]
    }

    private static let invalidDisplay = StreamWriterError(
        .invalidParameter,
        "mastering_display must have the form G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50): x and y in units of 0.00002, the most and the least luminance in units of 0.0001 cd/m2",
        parameter: "mastering_display")
}

extension EncoderSettings {
    /// For libraries that take them as options; those of the client come first.
    mutating func apply(_ metadata: MasteringMetadata) {
        guard !metadata.isEmpty else { return }
        let (list, display, light) = switch codec.name {
        case "libx264": ("x264-params", "mastering-display", "cll")
        case "libx265": ("x265-params", "master-display", "max-cll")
        case "libsvtav1": ("svtav1-params", "mastering-display", "content-light")
        default: ("", "", "")
        }
        guard !list.isEmpty else { return }
        let given = options[list] ?? ""
        var added: [String] = []
        if let text = metadata.displayText(exactly: codec.name != "libsvtav1"), !given.holds(display) { added.append("\(display)=\(text)") }
        if let level = metadata.lightLevel, !given.holds(light) { added.append("\(light)=\(level[0]),\(level[1])") }
        options[list] = (added + (given.isEmpty ? [] : [given])).joined(separator: ":")
    }
}

extension MasteringMetadata {
    /// In the units of the standard if `exactly`, and otherwise in CIE's and in cd/m².
    fileprivate func displayText(exactly: Bool) -> String? {
        guard let chromaticities, let luminance else { return nil }
        func pair(_ values: ArraySlice<UInt32>, _ unit: Double) -> String {
            values.map { exactly ? "\($0)" : "\(Double($0) / unit)" }.joined(separator: ",")
        }
        let points = ["G", "B", "R", "WP"].enumerated().map { "\($1)(\(pair(chromaticities[($0 * 2)..<($0 * 2 + 2)], 50_000)))" }
        return points.joined() + "L(\(pair(luminance[0..<2], 10_000)))"
    }
}
