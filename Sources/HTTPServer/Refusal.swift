import HTTP1

/// Why a client gets a response before there is a request to handle, or a thread for it.
public enum Refusal: Sendable {
    /// The bytes are no request.
    case malformed(HTTPParseError)
    /// No thread is free for the request, or there is no room for the connection.
    case overload
    /// The request's head did not come in time.
    case slowHead
    /// The connection is beyond what its address may have.
    case crowdedAddress
}
