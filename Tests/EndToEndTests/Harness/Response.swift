import Foundation

/// An HTTP response, from curl or from a connection of ours.
struct Response: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: Data

    subscript(header: String) -> String? {
        headers.first { $0.name.lowercased() == header.lowercased() }?.value
    }

    /// The body as JSON; null when it is none.
    var json: JSON { (try? JSON(body)) ?? .null }

    /// The code of a problem response, `wrong-state` for instance.
    var problem: String? {
        guard self["Content-Type"] == "application/problem+json" else { return nil }
        return json["type"].string.map {
            $0.replacingOccurrences(of: "urn:penstock:problem:", with: "").replacingOccurrences(
                of: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset", with: "offset-mismatch")
        }
    }

    /// The response to a DELETE of a writer of which nothing is left.
    var isDeleted: Bool { status == 204 || status == 200 && json["left_count"] == 0 }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// A head as it came, status line first.
    init(head: String, body: Data = Data()) throws {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        guard !lines.isEmpty else { throw HarnessError("an empty response head") }
        let statusLine = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, let status = Int(statusLine[1]) else { throw HarnessError("no status in \(head)") }
        self.status = status
        self.headers = lines.compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (String(line[..<colon]), value)
        }
        self.body = body
    }
}

/// The harness itself could not do its part.
struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
