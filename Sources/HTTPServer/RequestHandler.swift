import HTTP1

/// Responds to requests. `handle` runs on a handler thread and may block on what this process does, never on
/// what a client does or leaves undone; the others must not block.
public protocol RequestHandler: Sendable {
    /// Responds once, hands the exchange's connection off, or lets it wait.
    func handle(_ exchange: Exchange)
    /// Which threads it gets.
    func kind(of head: RequestHead) -> RequestKind
    /// The response to what never gets to `handle`; `requestID` names it there and in the log.
    func response(to refusal: Refusal, requestID: String) -> Response
    /// Takes an idle connection when the server drains; by default it is closed.
    func takeIdle(_ connection: consuming DetachedConnection)
}

extension RequestHandler {
    public func kind(of head: RequestHead) -> RequestKind { .ordinary }
    public func takeIdle(_ connection: consuming DetachedConnection) {}
}

/// Each kind has threads of its own. Those of the latter two are few: for what is quickly answered, however
/// busy the server is.
public enum RequestKind: Sendable {
    case ordinary
    /// How the server is.
    case operational
    /// Whether the server is: asked by those who restart it.
    case healthCheck
}
