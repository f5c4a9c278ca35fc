import Foundation
import Testing
import Yams

extension EndToEnd {
    /// The dashboard and the alerts of deploy/ ask for what /metrics has.
    @Suite struct MonitoringTests {
        /// A server that has done a little of everything, as an admin sees it.
        private static func exposition() async throws -> Exposition {
            var found: Exposition?
            try await Tenants.run(["acme-token name=acme", "boss-token scope=admin"]) { tenants in
                try await tenants.make("acme-token", "a")
                _ = try await tenants.send("acme-token", "a", Data(count: 8_000))
                _ = try await tenants.call("acme-token", "POST", "/v1/writers/a/finalize")
                _ = try await tenants.call("acme-token", "GET", "/v1/writers/nosuch")
                let isCounted = try await eventually {
                    let now = try Exposition(try await tenants.call("boss-token", "GET", "/metrics").text)
                    found = now
                    return now["penstock_encoder_exits_total", ["reason": "exit_0"]] == 1
                        && now["penstock_http_requests_total", ["route": "finalizeWriter"]] == 1
                }
                #expect(isCounted)
            }
            return try #require(found)
        }

        private static func dashboard() throws -> [String] {
            let json = try JSON(Data(contentsOf: URL(fileURLWithPath: Repository.root + "/deploy/grafana/penstock.json")))
            return json["panels"].array.flatMap { $0["targets"].array.compactMap(\.["expr"].string) }
                + json["templating"]["list"].array.compactMap(\.["query"]["query"].string)
        }

        private static func alerts() throws -> [String] {
            let text = try String(contentsOfFile: Repository.root + "/deploy/prometheus/alerts.yaml", encoding: .utf8)
            let file = try #require(try Yams.load(yaml: text) as? [String: Any])
            let groups = file["groups"] as? [[String: Any]] ?? []
            return groups.flatMap { ($0["rules"] as? [[String: Any]] ?? []).compactMap { $0["expr"] as? String } }
        }

        @Test func everyQueryAsksForMetricsAndLabelsThatThereAre() async throws {
            let exposition = try await Self.exposition()
            let (dashboard, alerts) = (try Self.dashboard(), try Self.alerts())
            #expect(dashboard.count > 20 && alerts.count > 5)
            for query in dashboard + alerts { #expect(Query(query).flaws(in: exposition) == [], "\(query)") }
        }

        @Test func everyMetricHasItsPanel() async throws {
            let asked = Set(try Self.dashboard().flatMap { Query($0).selectors.map(\.metric) })
            let families = try await Self.exposition().families
            let unseen = families.filter { family in !asked.contains { $0 == family.key || $0.hasPrefix(family.key + "_") } }
            #expect(unseen.keys.sorted() == [])
        }

        @Test(arguments: [
            ("rate(penstock_frames_total[5m])", ["penstock_frames_total"]), ("penstock_writers{stat=\"open\"}", ["stat of penstock_writers"]),
            ("penstock_writers{state=~\"open|finalising\"}", ["state finalising"]), ("sum by (rout) (penstock_http_requests_total)", ["by rout"]),
            ("up{job=\"penstock\"} == 0 or penstock_draining{instance=~\"$instance\"}", []),
        ])
        func aQueryForWhatIsNotThereIsFound(query: String, flaws: [String]) async throws {
            let text = """
                # HELP penstock_writers w
                # TYPE penstock_writers gauge
                penstock_writers{state="open"} 1
                # HELP penstock_draining d
                # TYPE penstock_draining gauge
                penstock_draining 0
                # HELP penstock_http_requests_total r
                # TYPE penstock_http_requests_total counter
                penstock_http_requests_total{route="readyz",status="200"} 1

                """
            #expect(Query(query).flaws(in: try Exposition(text)) == flaws)
        }
    }
}

/// What a PromQL expression asks for.
private struct Query {
    struct Selector {
        let metric: String
        var labels: [(name: String, value: String)] = []
    }

    /// What Prometheus adds to each sample that it scrapes.
    private static let ofTheScrape: Set<String> = ["instance", "job"]
    /// Labels all of whose values are always there.
    private static let complete: Set<String> = ["state", "part"]

    let selectors: [Selector]
    private let groupings: Set<String>

    init(_ text: String) {
        selectors = text.matches(of: /\b(penstock_[a-z0-9_]+|up\b)(?:\{([^}]*)\})?/).map { match in
            let labels = (match.2 ?? "").matches(of: /([a-z_]+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"/)
            return Selector(metric: String(match.1), labels: labels.map { (String($0.1), String($0.2)) })
        }
        let lists = text.matches(of: /\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/)
        groupings = Set(lists.flatMap { $0.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } })
    }

    /// What of it an exposition has not.
    func flaws(in exposition: Exposition) -> [String] {
        var flaws: [String] = []
        var known = Self.ofTheScrape
        for selector in selectors where selector.metric != "up" {
            let samples = exposition.families.values.flatMap(\.samples).filter { $0.name == selector.metric }
            if samples.isEmpty { flaws.append(selector.metric) }
            let labels = Set(samples.flatMap(\.labels.keys))
            known.formUnion(labels)
            for (name, value) in selector.labels where !samples.isEmpty && !Self.ofTheScrape.contains(name) {
                if !labels.contains(name) { flaws.append("\(name) of \(selector.metric)") }
                guard Self.complete.contains(name) else { continue }
                let values = Set(samples.compactMap { $0.labels[name] })
                flaws += value.split(separator: "|").filter { !values.contains(String($0)) }.map { "\(name) \($0)" }
            }
        }
        if !flaws.contains(where: { $0.hasPrefix("penstock_") }) { flaws += groupings.subtracting(known).sorted().map { "by \($0)" } }
        return flaws
    }
}
