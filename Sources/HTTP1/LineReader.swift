/// Cuts a head into lines, and refuses control bytes as soon as they are seen.
struct LineReader {
    private let bytes: UnsafeRawBufferPointer
    /// The start of the next line.
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next line without its CRLF, or nil when its end is not among the first `end` bytes.
    ///
    /// RFC 9112 §2.2 lets a recipient take a lone LF as a line end, and a bare CR as a space. Both are ways to
    /// disagree with a proxy about where a message ends, so both are refused.
    mutating func next(before end: Int) throws(HTTPParseError) -> Range<Int>? {
        guard position < end, let control = bytes.slice(0..<end).firstControl(from: position) else { return nil }
        switch bytes[control] {
        case .cr:
            guard control + 1 < end else { return nil }
            guard bytes[control + 1] == .lf else { throw HTTPParseError(.bareCR) }
            defer { position = control + 2 }
            return position..<control
        case .lf: throw HTTPParseError(.bareLF)
        default: throw HTTPParseError(.controlByte)
        }
    }
}
