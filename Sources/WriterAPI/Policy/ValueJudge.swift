import Bytewise
import StreamWriter
import WriterModel

/// Judges the value of an option by its verdict.
enum ValueJudge {
    /// Why the value is refused, continuing "it …"; nil when it may be used. `graph` is for commands.
    static func refusal(of value: String, _ verdict: Verdict, graph: [OptionInspection.Filter]) -> String? {
        switch verdict {
        case .harmless: nil
        case .refused(let reason): reason
        case .outputPath, .nameBesideDst: isOutputName(value) ? nil : OutputNameJudge.rule(verdict, value)
        case .line: hasControl(value) ? "it must be one line, without control characters" : nil
        case .httpMethod: isMethod(value) ? nil : "it must be an HTTP method, such as PUT"
        case .httpHeaders: headersRefusal(value)
        case .fontName: value.holds("=") || value.holds("/") ? "it must be a font's name, without = and /" : nil
        case .variants: isVariants(value) ? nil : "its names become parts of file names, and can't have / or .. in them"
        case .commands: CommandJudge(graph: graph).refusal(of: value)
        case .muxer: OptionPolicy.refusal(of: value, in: .muxers).map { "the format \(value) is not allowed: \($0)" }
        case .muxerOptions: nested(value) { OptionNames.ofAnyMuxer.refusal(of: $0, $1) }
        case .protocolOptions: nested(value) { OptionNames.ofAnyProtocol.refusal(of: $0, $1) }
        // With a problem of their own: EncoderJudge.
        case .parameters, .unquotedParameters: nil
        }
    }

    /// What libav would refuse as a whole is left to it.
    private static func nested(_ text: String, _ refusal: (String, String) -> String?) -> String? {
        for (key, value) in OptionInspection.pairs(in: text) ?? [] {
            if let reason = refusal(key, value) { return "the option \(key) in it is not allowed: \(reason)" }
        }
        return nil
    }

    // By scalars and bytes throughout: "/" with a combining mark is another character, and still a "/".

    private static func hasControl(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }

    private static func isMethod(_ text: String) -> Bool {
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy { (0x41...0x5A).contains($0 & 0xDF) }
    }

    /// What the gate before the muxer's files decides again, and libav would act upon before it asks:
    /// folders for "%v".
    private static func isOutputName(_ name: String) -> Bool {
        if hasControl(name) { return false }
        let bytes = Array(name.utf8)
        let components = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if components.contains(where: { $0.elementsEqual("..".utf8) }) { return false }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return bytes.first != UInt8(ascii: "/") }
        if bytes[colon...].starts(with: "://".utf8) { return URLParts(name).map { $0.scheme != "file" } ?? false }
        return bytes[..<colon].contains(UInt8(ascii: "/")) && bytes.first != UInt8(ascii: "/")
    }

    private static func isVariants(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let hasDots = zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") }
        return !hasDots && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
    }

    /// Of fields that say where a request ends, or whose it is.
    private static let reservedHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer", "keep-alive",
    ]

    private static func headersRefusal(_ text: String) -> String? {
        let lines = Array(text.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var field = line
            let isLast = index == lines.count - 1
            if isLast && field.isEmpty && index > 0 { continue }
            if !isLast {
                guard field.last == UInt8(ascii: "\r") else { return "a line of it ends with LF alone; CR LF is needed" }
                field = field.dropLast()
            }
            guard !field.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }),
                let colon = field.firstIndex(of: UInt8(ascii: ":")), colon > field.startIndex
            else { return "its lines must be header fields, \"Name: value\"" }
            let name = String(decoding: field[..<colon], as: UTF8.self).lowercasedASCII
            guard name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !reservedHeaders.contains(name), !name.begins(with: "proxy-") else {
                return "the header \(name) is the server's to set"
            }
        }
        return nil
    }
}
