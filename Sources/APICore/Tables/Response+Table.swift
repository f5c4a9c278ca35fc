import Bytewise
import HTTP1
import HTTPServer
import WriterModel

/// How what is JSON for programs is sent: as that, or as a table for a terminal.
public enum ResponseForm: String, Sendable, CaseIterable {
    case json, table

    /// By `?format=`, else by what the client accepts; of two that it likes as much, JSON.
    public init(_ head: RequestHead) throws(Problem) {
        if let named = head.target.query("format") {
            guard let form = ResponseForm(rawValue: named) else {
                throw Problem(
                    .invalidParameter, "\"\(named)\" is no format of this response.", parameter: "format",
                    supported: Self.allCases.map(\.rawValue))
            }
            self = form
        } else {
            let accepted = AcceptedMedia(head.fields("Accept"))
            self = accepted.weight(of: "text/plain") > accepted.weight(of: "application/json") ? .table : .json
        }
    }

    /// Of the response in this form.
    public var fields: [(name: String, value: String)] {
        let type = switch self {
        case .json: "application/json"
        case .table: "text/plain; charset=utf-8"
        }
        return [("Content-Type", type), Self.varying]
    }

    /// RFC 9110 §12.5.5: what the form depends on.
    private static let varying = (name: "Vary", value: "Accept")
}

extension Response {
    /// `value`, in the form that the client would have.
    public static func resource(_ value: JSONValue, as kind: TableKind, to head: RequestHead) throws(Problem) -> Response {
        let form = try ResponseForm(head)
        let text = switch form {
        case .json: value.encodedLine
        case .table: Array(kind.text(of: value, now: .now()).utf8)
        }
        return Response(.ok, fields: form.fields, body: .bytes(text))
    }
}

extension JSONValue {
    /// With a newline behind it, as terminals and tools that read lines like it.
    public var encodedLine: [UInt8] { encoded + [UInt8(ascii: "\n")] }
}
