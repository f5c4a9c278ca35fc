/// A path below some folder, as the kernel reads one: bytes between slashes. Two are equal when their
/// bytes are, whatever Unicode says of them, so `é` in one character and in two are different names, and
/// so are `K` and the Kelvin sign. It leads nowhere but down, and is UTF-8.
public struct RelativePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Why a text is none.
    public enum Fault: Error, Sendable, Equatable {
        case isAbsolute, leadsUp, holdsNUL, isNotUTF8
    }

    private static let slash = UInt8(ascii: "/")

    /// Without empty names and ".": "a//./b" is "a/b".
    public let components: [Component]

    /// One name of a path: neither empty nor "." nor "..", without "/" and NUL.
    public struct Component: Sendable, Hashable {
        public let bytes: [UInt8]
        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// The folder itself.
    public static let itself = RelativePath(components: [])

    public init(components: some Sequence<Component>) { self.components = Array(components) }

    public init(_ text: some StringProtocol) throws(Fault) { try self.init(bytes: text.utf8) }

    /// Of a name that need not be UTF-8, such as one of a C library's.
    public init(bytes: some Sequence<UInt8>) throws(Fault) {
        let bytes = Array(bytes)
        if bytes.first == Self.slash { throw .isAbsolute }
        if bytes.contains(0) { throw .holdsNUL }
        if String(validating: bytes, as: UTF8.self) == nil { throw .isNotUTF8 }
        let names = bytes.split(separator: Self.slash).filter { !$0.elementsEqual(".".utf8) }
        if names.contains(where: { $0.elementsEqual("..".utf8) }) { throw .leadsUp }
        components = names.map { Component(bytes: Array($0)) }
    }

    public var isItself: Bool { components.isEmpty }

    /// As the kernel takes it; the folder itself is ".".
    public var text: String {
        isItself ? "." : components.map(\.text).joined(separator: "/")
    }

    public var description: String { text }

    /// The folder that it lies in.
    public var parent: RelativePath { RelativePath(components: components.dropLast()) }

    /// nil: it is the folder itself.
    public var name: Component? { components.last }

    public static func + (folder: RelativePath, path: RelativePath) -> RelativePath {
        RelativePath(components: folder.components + path.components)
    }

    public static func + (folder: RelativePath, name: Component) -> RelativePath {
        RelativePath(components: folder.components + [name])
    }

    /// Whether a name in it is the server's own.
    public var isReserved: Bool { components.contains(where: \.isReserved) }

    /// Seen from `folder`; nil when it lies elsewhere.
    public func relative(to folder: RelativePath) -> RelativePath? {
        guard components.starts(with: folder.components) else { return nil }
        return RelativePath(components: components.dropFirst(folder.components.count))
    }

    /// By their bytes, component after component.
    public static func < (one: RelativePath, other: RelativePath) -> Bool {
        one.components.lexicographicallyPrecedes(other.components) { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

extension RelativePath.Component {
    /// What names begin with that are the server's own, for files it has not finished.
    public static let reservedPrefix = ".penstock-"

    /// A name of the server's own. `rest` holds no "/" and no NUL.
    public static func reserved(_ rest: String) -> Self { Self(bytes: Array((reservedPrefix + rest).utf8)) }

    /// Whether only the server may use the name; in any case, as there are file systems that know none
    /// (ext4's casefold, where the long s and the Kelvin sign are s and k as well).
    public var isReserved: Bool {
        let folded = text.unicodeScalars.prefix(Self.reservedPrefix.utf8.count).map { scalar -> Unicode.Scalar in
            switch scalar {
            case "\u{17F}": "s"
            case "\u{212A}": "k"
            default: scalar.isASCII ? Unicode.Scalar(UInt8(scalar.value).lowercasedASCII) : scalar
            }
        }
        return folded.elementsEqual(Self.reservedPrefix.unicodeScalars)
    }
}
