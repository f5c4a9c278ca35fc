import Bytewise

/// What the fork server is asked to fork: an encoder, which a writer has one of, one of its carriers, what
/// sends an output of it again, or what sends webhooks.
public enum ForkSubject: Sendable, Hashable, CustomStringConvertible {
    case encoder(WriterID)
    /// `serial` is the gateway's own: no two carriers of a gateway have the same, whatever their writers' ids.
    case carrier(WriterID, serial: UInt64)
    /// What is kept of one of its outputs is sent again. No two of a gateway have the same `serial`.
    case retry(WriterID, serial: UInt64)
    /// No two of a gateway have the same `serial`.
    case webhooks(serial: UInt64)

    /// nil: it is no writer's.
    public var writer: WriterID? {
        switch self {
        case .encoder(let writer), .carrier(let writer, _), .retry(let writer, _): writer
        case .webhooks: nil
        }
    }

    /// One word of a message: the writer's key, and of a carrier its serial number behind a "#", which is in no key; of a
    /// retry behind two. What sends webhooks has the number alone.
    public var word: String {
        switch self {
        case .encoder(let writer): writer.key
        case .carrier(let writer, let serial): "\(writer.key)#\(serial)"
        case .retry(let writer, let serial): "\(writer.key)##\(serial)"
        case .webhooks(let serial): "#\(serial)"
        }
    }

    /// Reads what `word` gave.
    public init?(word: String) {
        guard let (key, number) = word.cutAtLast("#") else {
            guard let writer = WriterID(key: word) else { return nil }
            self = .encoder(writer)
            return
        }
        guard number.utf8.allSatisfy(\.isASCIIDigit), let serial = UInt64(number) else { return nil }
        if key.isEmpty {
            self = .webhooks(serial: serial)
            return
        }
        let retried = key.without(suffix: "#")
        guard let writer = WriterID(key: retried ?? key) else { return nil }
        self = retried == nil ? .carrier(writer, serial: serial) : .retry(writer, serial: serial)
    }

    public var description: String { word }

    /// As its process is called where processes are listed; the kernel keeps 15 bytes.
    public var processName: String {
        switch self {
        case .encoder(let writer): "enc " + writer.text
        case .carrier(let writer, _): "car " + writer.text
        case .retry(let writer, _): "ret " + writer.text
        case .webhooks: "webhooks"
        }
    }
}
