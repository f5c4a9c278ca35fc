import Glibc

/// How a client connects: the same for each of its requests. The environment's proxies, netrc and cookies are never used,
/// TLS is always verified.
package struct ConnectionRules: Sendable {
    package enum AddressFamily: Sendable { case any, ipv4, ipv6 }

    /// PEM certificates of authorities to trust besides the system's; nil: those alone.
    package var authorities: [UInt8]?
    package var addressFamily = AddressFamily.any
    /// For finding the address, connecting and TLS together.
    package var connectTimeout: Duration = .seconds(15)
    /// So long nothing may move in either direction while the peer has something to do.
    package var stallTimeout: Duration = .seconds(30)
    /// From the last byte of a request to the last of its response.
    package var responseTimeout: Duration = .seconds(600)
    /// Asked before each connection; false: that address is not connected to. On the client's own thread.
    package var allowsAddress: (@Sendable (UnsafePointer<sockaddr>, socklen_t) -> Bool)?
    /// Asked before each redirection is followed, for why it is not; nil: none is followed. On the client's own thread.
    package var refusalOfRedirection: (@Sendable (Redirection) -> String?)?

    /// One 301, 302, 307 or 308. The request is repeated as it was: PUT stays PUT. To another origin go those of the caller's
    /// headers that describe the body, and no other.
    package struct Redirection: Sendable {
        package let from: HTTPURL
        package let to: HTTPURL
        package let status: Int
    }

    static let mostRedirections = 5

    package init() {}
}
