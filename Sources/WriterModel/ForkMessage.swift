import Bytewise

/// What the gateway and the fork server say to each other.
public enum ForkMessage: Sendable, Equatable {
    /// Gateway to fork server, with the new process's end of its control socket.
    case fork(ForkSubject)
    /// Fork server to gateway.
    case forked(ForkSubject, process: Int32)
    case forkFailed(ForkSubject, reason: String)
    /// `waitStatus` is what waitpid(2) gave.
    case ended(process: Int32, waitStatus: Int32)

    /// Characters of a reason that are kept.
    static let maxReason = 256

    public var encoded: [UInt8] {
        let words: [String] =
            switch self {
            case .fork(let subject): ["fork", subject.word]
            case .forked(let subject, let process): ["forked", subject.word, String(process)]
            case .forkFailed(let subject, let reason): ["failed", subject.word, reason]
            case .ended(let process, let status): ["ended", String(process), String(status)]
            }
        return Array(words.joined(separator: " ").utf8)
    }

    public init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self)
            .parts(at: " ", most: 3)
        switch (words.first, words.count) {
        case ("fork", 2):
            guard let subject = ForkSubject(word: words[1]) else { return nil }
            self = .fork(subject)
        case ("forked", 3):
            guard let subject = ForkSubject(word: words[1]), let process = Int32(words[2]) else { return nil }
            self = .forked(subject, process: process)
        case ("failed", 3):
            guard let subject = ForkSubject(word: words[1]) else { return nil }
            self = .forkFailed(subject, reason: String(words[2].prefix(Self.maxReason)))
        case ("ended", 3):
            guard let process = Int32(words[1]), let status = Int32(words[2]) else { return nil }
            self = .ended(process: process, waitStatus: status)
        default: return nil
        }
    }
}
