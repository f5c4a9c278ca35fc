import APICore
import Bytewise
import SystemIO
import WriterModel

/// The server that has the state directory, as it says of itself in the lock's file.
public struct StateHolder: Sendable, Equatable, CustomStringConvertible {
    let process: Int64
    /// Of the machine or the container, in which the process has its number.
    let machine: String
    let node: String?
    let addresses: [String]
    let since: Timestamp

    static func own(node: NodeName?, addresses: [SocketAddress]) -> StateHolder {
        StateHolder(
            process: Int64(ChildProcess.ownIdentifier), machine: Machine.name, node: node?.text,
            addresses: addresses.map { "\($0)" }, since: .now())
    }

    private init(process: Int64, machine: String, node: String?, addresses: [String], since: Timestamp) {
        self.process = process
        self.machine = machine
        self.node = node
        self.addresses = addresses
        self.since = since
    }

    /// Reads what `text` gave; nil for anything else.
    init?(_ text: String) {
        guard let object = (try? JSONParser.parse(Array(text.utf8)))?.objectValue, let process = object["pid"]?.integerValue,
            let machine = object["host"]?.stringValue, let since = object["started_at"]?.stringValue.flatMap(Timestamp.init),
            let addresses = object["addresses"]?.arrayValue
        else { return nil }
        self.init(
            process: process, machine: machine, node: object["node"]?.stringValue, addresses: addresses.compactMap(\.stringValue), since: since)
    }

    var text: String {
        let object: JSONObject = [
            "pid": .integer(process), "host": .string(machine), "node": node.map { .string($0) } ?? .null,
            "addresses": .array(addresses.map { .string($0) }), "started_at": .string(since.description),
        ]
        return String(decoding: JSONValue.object(object).encoded, as: UTF8.self) + "\n"
    }

    public var description: String {
        let isHere = machine.isSame(as: Machine.name)
        return "process \(process) on \(isHere ? "this host (\(machine))" : "the host or container \(machine)")"
            + (node.map { ", node \($0)" } ?? "") + ", listening on \(addresses.joined(separator: ", ")), started at \(since)"
    }
}
