import Bytewise
import WriterModel

/// A field of log lines: its name, what its value is in JSON, and what it says.
public struct LogField: Sendable {
    public enum Kind: String, Sendable {
        case text, number, boolean, list

        /// A value of the kind; as text, where it is none.
        func value(_ text: String) -> JSONValue {
            switch self {
            case .number:
                if let value = Int64(text) { return .integer(value) }
                if let value = Double(text), value.isFinite { return .number(value) }
            case .boolean:
                if text.isSame(as: "true") { return true }
                if text.isSame(as: "false") { return false }
            case .text, .list: break
            }
            return .string(text)
        }
    }

    /// The lines that have it.
    enum Lines: String {
        case all = "all"
        case requests = "requests"
        case ends = "ends of writers"
        case others = "others"
    }

    let name: String
    let kind: Kind
    let lines: [Lines]
    let meaning: String

    private init(_ name: String, _ kind: Kind = .text, on lines: Lines..., is meaning: String) {
        self.name = name
        self.kind = kind
        self.lines = lines
        self.meaning = meaning
    }

    private static let kinds = Dictionary(all.map { ($0.name, $0.kind) }) { one, _ in one }

    static func kind(of name: String) -> Kind { kinds[name] ?? .text }

    /// The table of docs/reference/log-fields.md.
    public static var markdown: String {
        let rows = all.map { field in
            "| `\(field.name)` | \(field.kind.rawValue) | \(field.lines.map(\.rawValue).joined(separator: ", ")) | \(field.meaning) |\n"
        }
        return "| field | JSON | lines | |\n|---|---|---|---|\n" + rows.joined()
    }

    /// One a line, for a terminal.
    public static var text: String { all.map { "\($0.name) (\($0.kind.rawValue)): \($0.meaning)\n" }.joined() }

    static let all: [LogField] = [
        .init("time", on: .all, is: "When, in UTC: RFC 3339 with milliseconds."),
        .init("level", on: .all, is: "`debug`, `info`, `notice`, `warning`, `error` or `critical`."),
        .init("message", on: .all, is: "What happened; of a request `METHOD PATH STATUS`."),

        .init("method", on: .requests, is: "The request's method; `-` where its head could not be read."),
        .init("path", on: .requests, is: "Its path, without the query, which may hold secrets."),
        .init("status", .number, on: .requests, .others, is: "The status that was sent; 499: the client had left before there was a response. Of another node (`--peers`): the one that it sent."),
        .init("outcome", on: .requests, is: "`complete`; `cut`: the client left before the response's end; `failed`: the server broke it off."),
        .init("duration_ms", .number, on: .requests, is: "Milliseconds from the request's head to the response's end."),
        .init("bytes_in", .number, on: .requests, is: "Bytes of the request's body that were read."),
        .init("bytes_out", .number, on: .requests, is: "Bytes of the response's body that were sent."),
        .init("request_id", on: .requests, .others, is: "As the response's `X-Request-Id` and a problem's `request_id` have it."),
        .init("route", on: .requests, is: "The operation, by its operationId in openapi.yaml."),
        .init("peer", on: .requests, is: "The client's address, `unix:UID` on a local socket."),
        .init("traceparent", on: .requests, is: "The request's field of that name (W3C Trace Context)."),

        .init("writer", on: .ends, .requests, .others, is: "The writer's id; of a token with a name `NAME.ID`."),
        .init("name", on: .ends, .others, is: "The name of the token that made the writer, if it has one."),
        .init("state", on: .ends, is: "`closed`, `failed`, `deleted`; `unmade`: its creation failed by another fault than the request's."),
        .init("ended_by", on: .ends, .others, is: "What ended it: `finalize`, `delete`, `shutdown`, `gateway_lost`, `idle_timeout`, `run_time`, `client_left`, `error` (see `code`), `stall`, `crash`, `restart` (it was found dead when the server started), `unknown`."),
        .init("code", on: .ends, .requests, .others, is: "The problem's code: [problems.md](problems.md)."),
        .init("detail", on: .ends, .requests, .others, is: "The problem's sentence, without secrets; of requests only where `outcome` is not `complete`."),
        .init("libav_error", on: .ends, is: "The error that libav gave."),
        .init("log", .list, on: .ends, is: "The last lines of libav's log, 8 at most."),
        .init("dst", on: .ends, .others, is: "The destination, without secrets; left out of managed outputs."),
        .init("bytes", .number, on: .ends, .others, is: "Bytes of the output; of what was written, where it failed."),
        .init("duration_s", .number, on: .ends, is: "Seconds of media."),
        .init("sha256", on: .ends, is: "Of the finished file, where it was read back."),
        .init("record", on: .ends, is: "`not written yet`: the disk has no room for the writer's record, which is kept in memory."),

        .init("address", on: .others, is: "Where the server listens."),
        .init("agent", on: .others, is: "Where HAProxy's agent-check is told the server's weight."),
        .init("attempts", .number, on: .others, is: "How often a webhook was sent, or an output opened."),
        .init("carrier", .number, on: .others, is: "Of a carrier, its number among those of its writer's encoder."),
        .init("connections", .number, on: .others, is: "How many connections the server takes."),
        .init("count", .number, on: .others, is: "How many the message is about."),
        .init("unread", .number, on: .others, is: "At a start: of how many writers the records are still to be read, as the index does not have them."),
        .init("last", on: .others, is: "The time that the server saw last, before a clock that has jumped."),
        .init("seconds_left", .number, on: .others, is: "For how much longer no ended writer is removed for its age."),
        .init("error", on: .others, is: "What the system, or a file, has against it."),
        .init("event", on: .others, is: "The type of a webhook, as `writer.closed`."),
        .init("file", on: .others, is: "A path below the output directory."),
        .init("files", .number, on: .others, is: "How many files the process may open."),
        .init("folder", on: .others, is: "A folder below the output or state directory."),
        .init("kind", on: .others, is: "Of a message between the server's processes."),
        .init("landlock_abi", .number, on: .others, is: "The kernel's version of Landlock; 0: none."),
        .init("limit", .number, on: .others, is: "The bound that was met."),
        .init("line", .number, on: .others, is: "Of the token file."),
        .init("node", on: .others, is: "Another node's name."),
        .init("output", on: .others, is: "The name of one of a writer's outputs."),
        .init("passes", .number, on: .others, is: "How often a request was passed between processes."),
        .init("pid", .number, on: .others, is: "A process of the server's."),
        .init("place", on: .others, is: "Where a setting, or another node, is named."),
        .init("reason", on: .others, is: "Why another node is missing in lists."),
        .init("seccomp", .boolean, on: .others, is: "Whether the kernel filters system calls."),
        .init("settings", on: .others, is: "The names of settings that have changed."),
        .init("signal", on: .others, is: "The signal that the server was sent."),
        .init("url", on: .others, is: "Of a webhook's receiver, without secrets."),
        .init("variables", on: .others, is: "Names of environment variables."),
        .init("webhook_id", on: .others, is: "A webhook's id, as its receivers have it."),
        .init("writers", .number, on: .others, is: "How many writers are live."),
    ]
}
