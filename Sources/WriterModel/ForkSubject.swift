import Bytewise

/// What the fork server is asked to fork: an encoder, which a writer has one of, or one of its carriers.
public enum ForkSubject: Sendable, Hashable, CustomStringConvertible {
    case encoder(WriterID)
    /// `serial` is the gateway's own: no two carriers of a gateway have the same, whatever their writers' ids.
    case carrier(WriterID, serial: UInt64)

    public var writer: WriterID {
        switch self {
        case .encoder(let writer), .carrier(let writer, _): writer
        }
    }

    /// One word of a message: the writer's key, and of a carrier its serial number behind a "#", which is in no key.
    public var word: String {
        switch self {
        case .encoder(let writer): writer.key
        case .carrier(let writer, let serial): "\(writer.key)#\(serial)"
        }
    }

    /// Reads what `word` gave.
    public init?(word: String) {
        guard let (key, number) = word.cutAtLast("#") else {
            guard let writer = WriterID(key: word) else { return nil }
            self = .encoder(writer)
            return
        }
        guard number.utf8.allSatisfy(\.isASCIIDigit), let writer = WriterID(key: key), let serial = UInt64(number) else { return nil }
        self = .carrier(writer, serial: serial)
    }

    public var description: String { word }

    /// As its process is called where processes are listed; the kernel keeps 15 bytes.
    public var processName: String {
        switch self {
        case .encoder(let writer): "enc " + writer.text
        case .carrier(let writer, _): "car " + writer.text
        }
    }
}
