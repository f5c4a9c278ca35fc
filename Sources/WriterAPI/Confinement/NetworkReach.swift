import Bytewise
import SystemIO
import WriterModel

/// The sockets that writing to the URLs of the operator's patterns takes. Which hosts is for the policy:
/// the kernel's rules know ports.
package struct NetworkReach {
    package let tcpPorts: SandboxRules.TCPPorts
    package let sockets: SandboxRules.SocketKinds

    /// `endpoints`: URLs beside those of the policy.
    package init(_ policy: OutputPolicy, endpoints: [String] = []) {
        let patterns = (policy.patterns + endpoints).compactMap { URLParts($0).map(Pattern.init) }
        var sockets: SandboxRules.SocketKinds = []
        if patterns.contains(where: \.needsTCP) { sockets.insert(.tcp) }
        let looksUp = patterns.contains(where: \.looksUpName)
        if looksUp || patterns.contains(where: \.needsDatagrams) { sockets.insert(.datagrams) }
        self.sockets = sockets
        var ports: Set<UInt16> = []
        for pattern in patterns where pattern.needsTCP {
            guard let port = pattern.port else {
                tcpPorts = .all
                return
            }
            ports.insert(port)
        }
        // An answer that is too long for a datagram is asked for again.
        let name: Set<UInt16> = looksUp && sockets.contains(.tcp) ? [53] : []
        tcpPorts = .these(connecting: ports.union(name), listening: ports)
    }

    private struct Pattern {
        let needsTCP: Bool
        let needsDatagrams: Bool
        /// A host that is not an address.
        let looksUpName: Bool
        /// nil: any.
        let port: UInt16?

        init(_ parts: URLParts) {
            needsDatagrams = Self.datagramSchemes.contains(parts.scheme)
            needsTCP = !needsDatagrams || parts.scheme == "rtsp"
            let (host, port) = Self.split(parts.authorityWithoutUser)
            looksUpName = !Self.isAddress(host)
            self.port = switch port {
            case .written(let port): port
            case .any: nil
            case .none: Self.defaultPorts[parts.scheme]
            }
        }

        private static let datagramSchemes: Set<String> = [
            "udp", "udplite", "rtp", "srtp", "srt", "rist", "prompeg", "rtsp", "dtls",
        ]
        /// Where a scheme is not here, or uses more ports than one as ftp does, any port will do.
        private static let defaultPorts: [String: UInt16] = [
            "http": 80, "https": 443, "httpproxy": 80, "rtmp": 1_935, "rtmps": 443, "rtmpt": 80, "rtmpts": 443, "rtmpe": 1_935,
            "rtmpte": 80, "rtsp": 554, "rtsps": 322, "sftp": 22, "amqp": 5_672,
        ]

        private enum Port { case written(UInt16), any, none }

        private static func split(_ authority: String) -> (host: String, Port) {
            // "*" at the end stands for a port, too.
            guard let (host, port) = authority.cutAtLast(":"), !port.holds("]") else {
                return (authority, authority.ends(with: "*") ? .any : .none)
            }
            return (host, UInt16(port).map { .written($0) } ?? .any)
        }

        private static func isAddress(_ host: String) -> Bool {
            if host.begins(with: "[") { return true }
            let numbers = host.parts(at: ".")
            return numbers.count == 4 && numbers.allSatisfy { $0.isSame(as: "*") || UInt8($0) != nil }
        }
    }
}
