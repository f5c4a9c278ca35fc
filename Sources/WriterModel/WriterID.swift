/// A writer's name in paths: 1 to 64 of `A-Z a-z 0-9 _ -`.
public struct WriterID: Sendable, Hashable, CustomStringConvertible {
    public static let maxLength = 64
    public let text: String

    public init?(_ text: String) {
        guard (1...Self.maxLength).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
    }

    /// Of the process that answers questions about libav: no client can ask for it, as "+" is in no id.
    public static let catalog = WriterID(unchecked: "+catalog")

    /// An id between the gateway and its processes, where one may be the catalog's.
    public init?(told text: String) {
        if text == Self.catalog.text {
            self = .catalog
        } else {
            self.init(text)
        }
    }

    private init(unchecked text: String) { self.text = text }

    /// A new id nobody can guess (124 random bits).
    public static func random() -> WriterID {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        let tail = (0..<24).map { _ in alphabet.randomElement(using: &generator)! }
        return WriterID("w_" + String(tail))!
    }

    public var description: String { text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
