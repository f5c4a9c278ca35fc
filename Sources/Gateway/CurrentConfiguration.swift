import Synchronization

/// The configuration in force: what SIGHUP may change of it is read where it is used, at the time of use.
@dynamicMemberLookup
package final class CurrentConfiguration: Sendable {
    private let state: Mutex<GatewayConfiguration>

    package init(_ configuration: GatewayConfiguration) { state = Mutex(configuration) }

    /// All of it as it is at one time.
    var value: GatewayConfiguration { state.withLock { $0 } }

    package subscript<T: Sendable>(dynamicMember path: KeyPath<GatewayConfiguration, T> & Sendable) -> T {
        state.withLock { $0[keyPath: path] }
    }

    /// Takes of another what can change while the server runs, all at once.
    func reload(_ other: GatewayConfiguration) {
        state.withLock { $0 = $0.reloading(other) }
    }
}
