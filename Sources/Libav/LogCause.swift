import Bytewise

/// Which of the lines that libav logged says best why a call failed.
enum LogCause {
    /// Bytes of a list of lines that becomes part of a message. Lines stay whole: what is secret in them is found
    /// by whole words.
    private static let most = 400

    /// What callers log about what they called, which has said more.
    private static let echoes = [
        "Error setting encoder parameters", "Cannot open lib", "Could not open", "Failed to create", "Failed to initialize",
        "Error initializing", "Failed to configure", "Error opening", "can't configure encoder", "Error applying", "not compatible with",
        "Cannot create the link", "Cannot open connection", "frame_thread_encoder_init failed",
    ]

    /// The last that tells of the thing itself. A line that ends in a colon is told with the lines that it
    /// announces.
    static func best(of lines: [Log.Line]) -> String? {
        let causes = joined(whole(lines.map { plain($0.text) }.filter { !saysNothing($0) })).filter { !$0.isEmpty }
        let own = causes.indices.last { !isEcho(causes[$0], of: causes[..<$0].last) }
        return own.map { causes[$0] } ?? causes.last
    }

    /// FFmpeg 7's last word on a filter's refusal, whatever it was.
    private static func saysNothing(_ line: String) -> Bool { line.begins(with: "Error processing filtergraph") }

    private static func isEcho(_ cause: String, of before: String?) -> Bool {
        // Of a value out of range, the line before has the range.
        if cause.begins(with: "Error setting option "), before?.holds(" out of range ") == true { return true }
        return echoes.contains { cause.holds($0) }
    }

    /// Before its version 6, FFmpeg logs a filter and its arguments as two lines where it means one.
    private static func whole(_ lines: [String]) -> [String] {
        lines.reduce(into: []) { lines, line in
            if line.begins(with: "with args '"), let before = lines.popLast() { lines.append("\(before) \(line)") } else { lines.append(line) }
        }
    }

    private static func joined(_ lines: [String]) -> [String] {
        guard let head = lines.firstIndex(where: { $0.ends(with: ":") }), head + 1 < lines.endIndex else { return lines }
        var list = lines[head] + " " + lines[head + 1]
        for line in lines[(head + 2)...] {
            guard list.utf8.count + line.utf8.count <= most else { return lines[..<head] + [list + "; …"] }
            list += "; " + line
        }
        return lines[..<head] + [list]
    }

    /// "[libx264] width not divisible by 2 (63x47)" as what stands behind the component's name.
    private static func plain(_ line: String) -> String {
        // Some of libav's lines are several.
        var text = String(decoding: line.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
        while text.begins(with: "["), let cut = text.cut(at: "]") { text = trimmed(cut.after) }
        for prefix in ["Svt[error]:", "Svt[warning]:", "x265 [error]:", "x265 [warning]:", "Additional information:"] {
            text = text.without(prefix: prefix).map(trimmed) ?? text
        }
        if let behind = text.without(prefix: "Instance 1:") { text = trimmed(behind) }
        return trimmed(text)
    }

    private static func trimmed(_ text: String) -> String {
        var bytes = text.utf8[...]
        while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        while let last = bytes.last, " .!".utf8.contains(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
