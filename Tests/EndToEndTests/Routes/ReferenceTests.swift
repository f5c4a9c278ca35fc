import Foundation
import Testing

extension EndToEnd {
    /// The pages of docs/reference that are made from the code, and what the program does.
    @Suite struct ReferenceTests {
        private static let program = Repository.programs + "/penstock"

        @Test(arguments: [("problems", "problems.md", 58), ("metrics", "metrics.md", 30), ("log-fields", "log-fields.md", 40)])
        func aPageHasTheTableAsTheProgramPrintsIt(command: String, page: String, rows: Int) async throws {
            let table = try await Tool.run(Self.program, [command, "--markdown"]).text
            #expect(table.split(separator: "\n").count >= rows + 2)
            let text = try String(contentsOfFile: Repository.root + "/docs/reference/" + page, encoding: .utf8)
            #expect(text.contains(table), "put the output of `penstock \(command) --markdown` into docs/reference/\(page)")
        }

        @Test func aCodeIsExplainedOnTheCommandLine() async throws {
            let one = try await Tool.run(Self.program, ["problems", "encoder-crashed"])
            #expect(one.end == .exited(0) && one.text.hasPrefix("encoder-crashed (500): ") && one.text.split(separator: "\n").count == 3)
            #expect(try await Tool.run(Self.program, ["problems", "nosuch"]).end != .exited(0))
            for command in ["problems", "metrics", "log-fields"] { #expect(try await Tool.run(Self.program, [command]).text.count > 1_000) }
        }

        private struct Row {
            let name, type: String
            let labels: [String]
        }

        private func rows() async throws -> [Row] {
            let table = try await Tool.run(Self.program, ["metrics", "--markdown"]).text
            return table.matches(of: /(?m)^\| `(penstock_[a-z_]+)` \| ([a-z]+) \| ([^|]*) \|/).map { match in
                Row(name: String(match.1), type: String(match.2), labels: match.3.matches(of: /`([a-z_]+)`/).map { String($0.1) })
            }
        }

        /// After a little of everything, as an admin sees them.
        @Test func metricsAreThoseOfTheTableAndPromtoolFindsNothingWrong() async throws {
            let rows = try await rows()
            var text = ""
            try await Tenants.run(["acme-token name=acme", "boss-token scope=admin"]) { tenants in
                try await tenants.make("acme-token", "a")
                _ = try await tenants.send("acme-token", "a", Data(count: 8_000))
                _ = try await tenants.call("acme-token", "POST", "/v1/writers/a/finalize")
                _ = try await tenants.call("acme-token", "GET", "/v1/writers/nosuch")
                let isThere = try await eventually {
                    text = try await tenants.call("boss-token", "GET", "/metrics").text
                    return text.contains("penstock_encoder_exits_total{") && text.contains("penstock_http_problems_total{")
                        && text.contains("penstock_name_output_bytes_total{")
                }
                #expect(isThere)
            }
            let found = try Exposition(text)
            #expect(found.families.keys.sorted() == rows.map(\.name).sorted())
            for row in rows {
                let family = try #require(found.families[row.name])
                #expect(family.type == row.type, "\(row.name)")
                #expect(Set(family.samples.flatMap(\.labels.keys)).subtracting(["le"]) == Set(row.labels), "\(row.name)")
                #expect(row.name.hasSuffix("_total") == (row.type == "counter"), "\(row.name)")
            }
            let folder = try TemporaryFolder()
            try text.write(toFile: folder / "metrics", atomically: true, encoding: .utf8)
            let check = try await Tool.run("/bin/sh", ["-c", "command -v promtool >/dev/null || exit 99; promtool check metrics < \(folder / "metrics")"])
            if check.end == .exited(99) { return print("skipped: promtool is not installed (Debian: prometheus)") }
            #expect(check.end == .exited(0), "\(check.text) \(check.errors)")
        }

        /// Each line of a server that has done much has fields of the table alone, of the kind that it says.
        @Test func logLinesHaveTheFieldsOfTheTable() async throws {
            let table = try await Tool.run(Self.program, ["log-fields", "--markdown"]).text
            let kinds = Dictionary(table.matches(of: /(?m)^\| `([a-z0-9_]+)` \| ([a-z]+) \|/).map { (String($0.1), String($0.2)) }) { one, _ in one }
            let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
            let server = try await PenstockServer.start(["--log-format", "json", "--log-level", "debug"])
            let id = try await server.createWriter(["dst": "a.wav", "streams": [audio], "open": true])
            try await server.sendChunk(Data(count: 1_600), to: id, stream: 0)
            let dying = try await server.createWriter(["format": "wav", "streams": [audio], "open": true])
            kill(pid_t(try #require(try await server.writer(dying)["encoder_pid"].int)), SIGKILL)
            _ = try await server.log.end(of: dying)
            _ = try await server.curl("GET", "/nowhere", headers: ["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
            try await server.finalize(id)
            server.process.signal(SIGUSR1)
            _ = await server.log.line(containing: "draining", within: 20)
            try await server.stop()
            let records = server.log.records
            #expect(records.count == server.log.text.split(separator: "\n").count && records.count > 8, "every line is JSON")
            for record in records {
                for (name, value) in record.object {
                    let kind = switch value {
                    case .number: "number"
                    case .bool: "boolean"
                    case .array: "list"
                    default: "text"
                    }
                    #expect(kinds[name] == kind, "\(name) of \(record)")
                }
            }
            // Times are RFC 3339 in UTC, with milliseconds.
            let utc = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z/
            let odd = records.filter { ($0["time"].string ?? "").wholeMatch(of: utc) == nil }
            #expect(odd == [])
            let seen = Set(records.flatMap(\.object.keys))
            for name in ["method", "path", "status", "duration_ms", "writer", "code", "ended_by", "sha256", "traceparent", "writers"] { #expect(seen.contains(name), "\(name)") }
        }

        /// What sources log with is what the table has.
        @Test func theTableHasEveryFieldOfTheSources() async throws {
            let table = try await Tool.run(Self.program, ["log-fields", "--markdown"]).text
            let known = Set(table.matches(of: #/(?m)^\| `([a-z0-9_]+)` \|/#).map { String($0.1) })
            var used: Set<String> = ["time", "level", "message"]
            let files = try #require(FileManager.default.enumerator(atPath: Repository.root + "/Sources"))
            for case let file as String in files where file.hasSuffix(".swift") {
                let text = try String(contentsOfFile: Repository.root + "/Sources/" + file, encoding: .utf8)
                guard text.contains("log.") || text.contains("Logger") else { continue }
                let lists = text.matches(of: #/(?s)(?:metadata|Logger\.Metadata)(?: =|:) \[\s*(".*?)\]\)?\n/#).map { String($0.1) }
                used.formUnion(lists.flatMap { $0.matches(of: #/"([a-z0-9_]+)": (?:"|\.)/#).map { String($0.1) } })
                used.formUnion(text.matches(of: #/(?:metadata|fields|log)\[(?:metadataKey: )?"([a-z0-9_]+)"\] = /#).map { String($0.1) })
            }
            #expect(used.subtracting(known).sorted() == [])
            #expect(known.subtracting(used).sorted() == [])
        }
    }
}
