/// How the end of a request's body is found (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
    case none
    /// At most `Int64.max`.
    case length(UInt64)
    case chunked

    /// Whether there are bytes to read after the head; a chunked body may still turn out empty.
    public var hasBody: Bool { self != .none && self != .length(0) }
}
