import Foundation

/// The lines of a server that logs JSON, as values.
extension ServerLog {
    var records: [JSON] { text.split(separator: "\n").compactMap { try? JSON(Data($0.utf8)) } }

    /// Those about a writer of WARNING or above.
    func failures(of writer: String) -> [JSON] {
        records.filter { ["warning", "error", "critical"].contains($0["level"].string ?? "") && $0["writer"].string == writer }
    }

    /// The line of a writer's end, once it is there.
    func end(of writer: String) async throws -> JSON {
        var found: JSON?
        _ = try await eventually {
            found = records.first { $0["writer"].string == writer && $0["ended_by"].string != nil && $0["level"] != "debug" }
            return found != nil
        }
        return found ?? .null
    }
}
