import Bytewise
import Synchronization
import SystemIO
import WriterModel

/// Stands before every name that a library of this process looks up: while it is closed, only hosts
/// and ports of URLs that the operator allows are found, and of their addresses only those allowed.
/// Asked by `getaddrinfo` in the very call whose answer is used, so that a name can't mean one
/// address when it is judged and another when it is reached. Any thread.
package final class AddressGate: Sendable {
    private struct State {
        var isClosed = false
        var serverPorts: [UInt16] = []
        var ownAddresses: [[UInt8]] = []
        var permits: [AddressPermit] = []
        var refusal: String?
    }

    private let state = Mutex(State())

    /// The process's own.
    static let shared = AddressGate()

    package init() {}

    /// From now on. The `serverPorts` of this machine, whose addresses are `ownAddresses` besides those of
    /// the loopback, are never allowed.
    package func close(serverPorts: [UInt16], ownAddresses: [[UInt8]]) {
        state.withLock { state in
            state.isClosed = true
            state.serverPorts = serverPorts
            state.ownAddresses = ownAddresses
        }
    }

    package func admit(_ permit: AddressPermit) {
        state.withLock { state in
            if !state.permits.contains(permit) { state.permits.append(permit) }
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Why a lookup found nothing, if one did not.
    package var refusal: String? { state.withLock { $0.refusal } }

    /// Judges the addresses of one lookup.
    package struct Judge {
        fileprivate let host: String
        fileprivate let port: Int
        fileprivate let serverPorts: [UInt16]
        fileprivate let ownAddresses: [[UInt8]]
        fileprivate let permits: [AddressPermit]
        fileprivate var refused: String?

        package mutating func allows(_ bytes: [UInt8]) -> Bool {
            guard let address = NetworkAddress(bytes: bytes)?.unmapped else { return false }
            guard permits.contains(where: { $0.allows(address) }) else {
                refused = "\(AddressGate.phrase(address.reach)), which only a pattern that names it allows"
                return false
            }
            let isOwn = [.loopback, .unspecified].contains(address.reach) || ownAddresses.contains(address.bytes)
            if isOwn && serverPorts.contains(where: { Int($0) == port }) {
                refused = "this server itself"
                return false
            }
            return true
        }
    }

    /// nil: nothing may be found, of which `refusal` tells.
    package func judge(host: String, port: Int) -> Judge? {
        state.withLock { state in
            let permits = state.permits.filter { $0.covers(host: host, port: port) }
            if !permits.isEmpty {
                return Judge(
                    host: host, port: port, serverPorts: state.serverPorts, ownAddresses: state.ownAddresses,
                    permits: permits)
            }
            state.refusal = "The destination leads on to \(Self.name(host, port)), which it does not name."
            return nil
        }
    }

    /// Whether an address that no lookup has given may be connected to, for any of the URLs that were admitted. Those whose
    /// hosts are addresses are judged by `judge`.
    package func admits(_ bytes: [UInt8], port: Int) -> Bool {
        guard let address = NetworkAddress(bytes: bytes)?.unmapped else { return false }
        return state.withLock { state in
            if !state.isClosed { return true }
            let isOwn = [.loopback, .unspecified].contains(address.reach) || state.ownAddresses.contains(address.bytes)
            if isOwn && state.serverPorts.contains(where: { Int($0) == port }) {
                state.refusal = "\(Self.name(address.dotted ?? "", port)) is this server itself."
                return false
            }
            return state.permits.contains { permit in permit.ports.contains { $0.contains(port) } && permit.allows(address) }
        }
    }

    /// A lookup that has found addresses and may use none.
    package func note(refusedBy judge: Judge) {
        guard let refused = judge.refused else { return }
        state.withLock { $0.refusal = "\(Self.name(judge.host, judge.port)) is \(refused)." }
    }

    private static func name(_ host: String, _ port: Int) -> String {
        let name = host.holds(":") ? "[\(host)]" : host
        return host.isEmpty ? "port \(port)" : port == 0 ? name : "\(name):\(port)"
    }

    private static func phrase(_ reach: NetworkAddress.Reach) -> String {
        switch reach {
        case .global: "a public address"
        case .unspecified: "an unspecified address"
        default: "a \(reach.rawValue) address"
        }
    }
}
