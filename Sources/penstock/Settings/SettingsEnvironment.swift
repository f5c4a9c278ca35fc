import Bytewise
import Stores
import SystemIO

/// The variables that the server is told settings by, as they are at the start.
struct SettingsEnvironment: Sendable {
    private let values: [String: String]
    /// Those that Kubernetes sets in each container for a service whose name begins with "penstock".
    let ofServices: [String]
    /// Names that no setting has, in order.
    private let unknown: [String]

    static let prefix = "PENSTOCK_"
    static let config = "PENSTOCK_CONFIG"
    /// For `penstock health` and `penstock drain`.
    static let healthHost = "PENSTOCK_HEALTH_HOST"

    /// For the commands that ask a server.
    static let server = "PENSTOCK_SERVER"
    static let token = "PENSTOCK_TOKEN"

    init(_ all: [(name: String, value: String)]) {
        let ours = all.filter { $0.name.begins(with: Self.prefix) }
        ofServices = ours.filter { Self.isOfService($0.name, $0.value) }.map(\.name).sorted()
        let told = ours.filter { !Self.isOfService($0.name, $0.value) }
        values = Dictionary(told.map { ($0.name, $0.value) }) { first, _ in first }
        let known = Set(Self.known)
        unknown = told.map(\.name).filter { !known.contains($0) && !$0.begins(with: StoreEnvironment.prefix) }.sorted()
    }

    static var ofProcess: SettingsEnvironment { SettingsEnvironment(Environment.all) }

    /// Those that make object stores.
    var ofStores: [String: String] { values.filter { $0.key.begins(with: StoreEnvironment.prefix) } }

    subscript(name: String) -> String? { values[name] }

    private static var known: [String] { Setting.all.flatMap(\.names).map(Setting.variable(of:)) + [config, healthHost, server] }

    /// A name that was meant to be a setting's is an error. Others may be of other programs.
    var flaws: [SettingsFlaw] {
        unknown.map { name in
            let rest = name.without(prefix: Self.prefix) ?? name
            guard let near = rest.nearest(among: Self.known.compactMap { $0.without(prefix: Self.prefix) }) else {
                return SettingsFlaw(severity: .warning, place: .variable, reason: "\(name) is the name of no setting, and is not used")
            }
            return SettingsFlaw(place: .variable, reason: "\(name) is the name of no setting; \(Self.prefix)\(near) is one")
        }
    }

    /// PENSTOCK_SERVICE_HOST, PENSTOCK_PORT=tcp://10.0.0.1:8080, PENSTOCK_PORT_8080_TCP_ADDR, PENSTOCK_NODES_SERVICE_PORT_HTTP, …
    private static func isOfService(_ name: String, _ value: String) -> Bool {
        let words = name.parts(at: "_")
        if words.count < 3 { return name.ends(with: "_PORT") && isServiceURL(value) }
        for index in 1..<words.count - 1 where words[index] == "SERVICE" {  // ASCII
            if words[index + 1] == "PORT" || (words[index + 1] == "HOST" && index + 2 == words.count) { return true }  // ASCII
        }
        if name.ends(with: "_PORT") && isServiceURL(value) { return true }
        for index in 1..<words.count - 2 where words[index] == "PORT" {  // ASCII
            if UInt16(words[index + 1]) != nil && protocols.contains(words[index + 2].lowercasedASCII) { return true }  // ASCII
        }
        return false
    }

    private static let protocols: Set<String> = ["tcp", "udp", "sctp"]

    private static func isServiceURL(_ value: String) -> Bool { protocols.contains { value.begins(with: $0 + "://") } }
}
