import Bytewise
import Glibc
import Stores
import StreamWriter
import Uploads
import WriterModel

/// Decides where an upload may go: each of its URLs, each redirection, each address that is connected to.
struct UploadGate: Sendable {
    let policy: OutputPolicy
    let clientPolicy: ClientPolicy

    /// A URL that is to be written to: none but those that the operator allows.
    func admit(_ url: String) throws(SinkFailure) -> HTTPURL {
        let target: HTTPURL
        do throws(UploadError) { target = try HTTPURL(url) } catch {
            throw SinkFailure("\(URLText.redacted(destination: url)) can't be written to: \(error.reason)")
        }
        if clientPolicy == .absent { return target }
        let permit: AddressPermit
        do throws(Problem) { permit = try DestinationPlan.permit(url, policy) } catch {
            throw SinkFailure(error.detail.without(suffix: ".") ?? error.detail, isForbidden: true)
        }
        // What was judged must be what is connected to. libcurl writes an address as everybody does: 127.0.0.1 for 127.1.
        let host = Self.bare(target.host), address = Self.addressWithoutLookup(host)
        guard host.isSame(as: permit.host) || address != nil, permit.covers(host: permit.host, port: target.port) else {
            throw SinkFailure("the host of \(target.origin) is read differently here and there; write it plainly", isForbidden: true)
        }
        AddressGate.shared.admit(permit)
        if let address { try Self.judge(address, of: permit.host, port: target.port) }
        return target
    }

    /// Why the redirection is not followed; nil: it is.
    func refusal(of redirection: ConnectionRules.Redirection) -> String? {
        do throws(SinkFailure) {
            _ = try admit(redirection.to.revealed)
            return nil
        } catch {
            return error.reason
        }
    }

    /// A store's server, which is the operator's choice.
    func admit(_ store: Store) {
        guard let parts = URLParts("\(store.endpoint.scheme)://\(store.authority)") else { return }
        AddressGate.shared.admit(.named(host: parts.host, port: store.endpoint.port))
    }

    /// Asked before each connection.
    static func allows(_ address: UnsafePointer<sockaddr>) -> Bool {
        guard let (bytes, port) = parts(of: address) else { return false }
        return AddressGate.shared.admits(bytes, port: port)
    }

    private static func bare(_ host: String) -> String { host.without(prefix: "[")?.without(suffix: "]") ?? host }

    /// Of a host that is an address, or a name that libcurl gives one to without a lookup (RFC 6761, 6.3).
    private static func addressWithoutLookup(_ host: String) -> [UInt8]? {
        host.isSame(as: "localhost") || host.ends(with: ".localhost") ? [127, 0, 0, 1] : address(host)
    }

    private static func judge(_ address: [UInt8], of host: String, port: Int) throws(SinkFailure) {
        guard AddressGate.shared.isClosed else { return }
        guard var judge = AddressGate.shared.judge(host: host, port: port) else { throw refusal }
        if judge.allows(address) { return }
        AddressGate.shared.note(refusedBy: judge)
        throw refusal
    }

    private static var refusal: SinkFailure {
        let reason = AddressGate.shared.refusal ?? "The address may not be connected to."
        return SinkFailure(reason.without(suffix: ".") ?? reason, isForbidden: true)
    }

    private static func address(_ text: String) -> [UInt8]? {
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        if inet_pton(AF_INET6, text.until("%"), &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }

    private static func parts(of address: UnsafePointer<sockaddr>) -> (bytes: [UInt8], port: Int)? {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let four = raw.loadUnaligned(as: sockaddr_in.self)
            return (withUnsafeBytes(of: four.sin_addr) { Array($0) }, Int(UInt16(bigEndian: four.sin_port)))
        case AF_INET6:
            let six = raw.loadUnaligned(as: sockaddr_in6.self)
            return (withUnsafeBytes(of: six.sin6_addr) { Array($0) }, Int(UInt16(bigEndian: six.sin6_port)))
        default: return nil
        }
    }
}
