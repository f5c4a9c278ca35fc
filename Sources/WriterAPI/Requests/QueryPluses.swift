import Bytewise
import StreamWriter
import WriterModel

/// Puts back the pluses that are blanks in a query: where libav joins names by them ("frag_keyframe+empty_moov") no
/// value has a blank, and they are mostly written as they are.
struct QueryPluses {
    let format: String?
    let encoder: String?
    let isVideo: Bool

    func restored(inMuxerOption option: [String: String]) -> [String: String] {
        restored(in: option) { format.flatMap { Capabilities.muxer(named: $0) }?.options ?? [] }
    }

    /// In a stream's members.
    func restore(in fields: inout JSONObject) {
        if let option = fields["encoder_option"]?.objectValue {
            let texts = option.members.compactMap { member in member.value.stringValue.map { (member.name, $0) } }
            // What is no text, or there twice, is refused later.
            let values = Dictionary(texts, uniquingKeysWith: { first, _ in first })
            for (name, value) in restored(in: values, of: encoderOptions) where value != values[name] {
                var changed = fields["encoder_option"]?.objectValue ?? JSONObject()
                changed[name] = .string(value)
                fields["encoder_option"] = .object(changed)
            }
        }
        if let text = fields["disposition"]?.stringValue { fields["disposition"] = .string(Self.restored(text)) }
        // "FL+FR+LFE2"; "2 channels" is another notation.
        if let text = fields["channel_layout"]?.stringValue, let first = text.utf8.first, (0x41...0x5A).contains(first),
            text.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x20 })
        {
            fields["channel_layout"] = .string(Self.restored(text))
        }
    }

    /// Of the encoder that is named, or else of the format's own.
    private func encoderOptions() -> [OptionCapability] {
        let muxer = encoder == nil ? format.flatMap { Capabilities.muxer(named: $0) } : nil
        let name = encoder ?? (isVideo ? muxer?.defaultVideoEncoder : muxer?.defaultAudioEncoder)
        return name.flatMap { Capabilities.encoder(named: $0) }?.options ?? []
    }

    /// `options` is asked only when a value has a blank.
    private func restored(in values: [String: String], of options: () -> [OptionCapability]) -> [String: String] {
        guard values.values.contains(where: { $0.holds(" ") }) else { return values }
        let flags = options().filter { $0.type == "flags" }.map(\.name)
        var restored = values
        for (name, value) in values where flags.contains(where: { $0.isSame(as: name) }) {
            restored[name] = Self.restored(value)
        }
        return restored
    }

    private static func restored(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "+") : $0 }, as: UTF8.self)
    }
}
