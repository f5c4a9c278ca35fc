internal import CLibav
import Glibc

/// A place in a C string, which outlives it. Reads tokens with libav's own tokenizer.
struct TextCursor {
    static let whitespace = " \n\t\r"

    private var next: UnsafePointer<CChar>

    init(_ start: UnsafePointer<CChar>) { next = start }

    var isAtEnd: Bool { next.pointee == 0 }
    var rest: String { String(cString: next) }

    func stands(at prefix: String) -> Bool { strncmp(next, prefix, prefix.utf8.count) == 0 }

    mutating func skip(_ characters: String) { next += strspn(next, characters) }

    /// No further than the end.
    mutating func skip(count: Int) { next += strnlen(next, count) }

    /// As it stands, up to one of the characters or the end.
    mutating func read(until characters: String) -> String {
        let count = strcspn(next, characters)
        defer { next += count }
        return String(decoding: UnsafeRawBufferPointer(start: next, count: count), as: UTF8.self)
    }

    /// Without its quotes and escapes, up to one of the characters or the end.
    mutating func token(until characters: String) throws(LibavError) -> String {
        var cursor: UnsafePointer<CChar>? = next
        let token = try allocated(av_get_token(&cursor, characters), "reading \"\(rest)\"")
        defer { av_free(token) }
        next = cursor!
        return String(cString: token)
    }
}
