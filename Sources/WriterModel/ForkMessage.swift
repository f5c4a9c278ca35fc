import Bytewise

/// What the gateway and the fork server say to each other.
public enum ForkMessage: Sendable, Equatable {
    /// Gateway to fork server, with the encoder's end of its control socket.
    case fork(writer: WriterID)
    /// Fork server to gateway.
    case forked(writer: WriterID, process: Int32)
    case forkFailed(writer: WriterID, reason: String)
    /// `waitStatus` is what waitpid(2) gave.
    case ended(process: Int32, waitStatus: Int32)

    /// Characters of a reason that are kept.
    static let maxReason = 256

    public var encoded: [UInt8] {
        let words: [String] =
            switch self {
            case .fork(let writer): ["fork", writer.key]
            case .forked(let writer, let process): ["forked", writer.key, String(process)]
            case .forkFailed(let writer, let reason): ["failed", writer.key, reason]
            case .ended(let process, let status): ["ended", String(process), String(status)]
            }
        return Array(words.joined(separator: " ").utf8)
    }

    public init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self)
            .parts(at: " ", most: 3)
        switch (words.first, words.count) {
        case ("fork", 2):
            guard let writer = WriterID(key: words[1]) else { return nil }
            self = .fork(writer: writer)
        case ("forked", 3):
            guard let writer = WriterID(key: words[1]), let process = Int32(words[2]) else { return nil }
            self = .forked(writer: writer, process: process)
        case ("failed", 3):
            guard let writer = WriterID(key: words[1]) else { return nil }
            self = .forkFailed(writer: writer, reason: String(words[2].prefix(Self.maxReason)))
        case ("ended", 3):
            guard let process = Int32(words[1]), let status = Int32(words[2]) else { return nil }
            self = .ended(process: process, waitStatus: status)
        default: return nil
        }
    }
}
