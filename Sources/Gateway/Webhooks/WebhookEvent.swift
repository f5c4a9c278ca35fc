import APICore
import WriterModel

/// What has become of a writer, as receivers are told it: a message of Standard Webhooks.
package struct WebhookEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case opened = "writer.opened"
        case outputFailed = "output.failed"
        case outputReconnected = "output.reconnected"
        case closed = "writer.closed"
        case failed = "writer.failed"

        /// Nothing follows it.
        var isEnd: Bool { self == .closed || self == .failed }
    }

    /// The same in every attempt to send it.
    package let id: String
    package let kind: Kind
    package let writer: WriterID
    package let createdAt: Timestamp
    package let body: String

    package init(id: String, kind: Kind, writer: WriterID, createdAt: Timestamp, body: String) {
        (self.id, self.kind, self.writer, self.createdAt, self.body) = (id, kind, writer, createdAt, body)
    }

    /// Of a writer as `GET` shows it, and of one of its outputs.
    package init(_ kind: Kind, of writer: WriterID, _ resource: JSONObject, output: JSONObject? = nil, at moment: Timestamp = .now()) {
        let occurred = kind.isEnd ? resource["ended_at"]?.stringValue.flatMap(Timestamp.init) ?? moment : moment
        var data = Self.data(of: writer, resource)
        if let output { data["output"] = .object(output) }
        var body = Self.body(kind, occurred, data)
        if body.utf8.count > Self.mostBodyBytes {
            for (name, part) in [("result", "warnings"), ("failure", "log"), ("failure", "supported")] { data.remove(part, of: name) }
            body = Self.body(kind, occurred, data)
        }
        self.init(id: Self.newID(), kind: kind, writer: writer, createdAt: moment, body: body)
    }

    /// Receivers take small ones; the writer itself has all there is to know.
    static let mostBodyBytes = 20_000

    /// Of the resource's members.
    private static let shown = ["id", "state", "created_at", "ended_at", "dst", "format", "bytes_written", "result", "failure"]

    private static func data(of writer: WriterID, _ resource: JSONObject) -> JSONObject {
        var data: JSONObject = [:]
        for name in shown { data[name] = resource[name] }
        data["id"] = .string(writer.text)
        data["name"] = writer.owner.map { .string($0) }
        // It grows with the writer.
        data.remove("files", of: "result")
        return data
    }

    private static func body(_ kind: Kind, _ moment: Timestamp, _ data: JSONObject) -> String {
        let body: JSONValue = ["type": .string(kind.rawValue), "timestamp": .string(moment.description), "data": .object(data)]
        return String(decoding: body.encoded, as: UTF8.self)
    }

    private static func newID() -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        return "msg_" + String((0..<27).map { _ in alphabet.randomElement(using: &generator)! })
    }
}

extension JSONObject {
    fileprivate mutating func remove(_ part: String, of name: String) {
        guard var object = self[name]?.objectValue else { return }
        object[part] = nil
        self[name] = .object(object)
    }
}
