import Foundation

/// Prometheus' text format 0.0.4, read strictly: what a scraper would refuse is an error here.
struct Exposition {
    struct Family {
        let type: String
        var samples: [(name: String, labels: [String: String], value: Double)] = []
    }

    private(set) var families: [String: Family] = [:]

    /// The one sample of that name whose labels contain `labels`; nil when there is none.
    subscript(name: String, labels: [String: String] = [:]) -> Double? {
        families.values.lazy.flatMap(\.samples).first { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }?.value
    }

    /// Every sample by its line up to the value.
    var values: [String: Double] {
        var values: [String: Double] = [:]
        for sample in families.values.flatMap(\.samples) {
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            values[([sample.name] + labels).joined(separator: " ")] = sample.value
        }
        return values
    }

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw HarnessError("the last line has no end") }
        var current: String?
        var helped: Set<String> = []
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) {
                guard helped.insert(String(match.1)).inserted else { throw HarnessError("a second HELP: \(line)") }
            } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
                let name = String(match.1)
                guard families[name] == nil else { throw HarnessError("a second TYPE: \(line)") }
                families[name] = Family(type: String(match.2))
                current = name
            } else {
                guard let name = current else { throw HarnessError("a sample before any TYPE: \(line)") }
                try add(String(line), to: name)
            }
        }
        for (name, family) in families where family.type == "histogram" { try check(histogram: name, family) }
        guard Set(families.keys) == helped else { throw HarnessError("families without HELP, or HELP without one") }
    }

    private mutating func add(_ line: String, to family: String) throws {
        guard
            let match = line.wholeMatch(
                of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)/),
            let value = Double(match.3.replacingOccurrences(of: "Inf", with: "infinity"))
        else { throw HarnessError("no sample: \(line)") }
        let name = String(match.1)
        let suffixes = families[family]?.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { family + $0 == name }) else {
            throw HarnessError("\(name) among the samples of \(family)")
        }
        var labels: [String: String] = [:]
        if let text = match.2, !text.isEmpty {
            let pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/
            var rest = text
            while !rest.isEmpty {
                guard let label = rest.prefixMatch(of: pattern) else { throw HarnessError("no labels: \(line)") }
                guard labels.updateValue(String(label.2), forKey: String(label.1)) == nil else {
                    throw HarnessError("a label twice: \(line)")
                }
                rest = rest[label.range.upperBound...]
            }
        }
        if families[family]?.type == "counter" && value < 0 { throw HarnessError("a negative counter: \(line)") }
        if families[family]!.samples.contains(where: { $0.name == name && $0.labels == labels }) {
            throw HarnessError("a sample twice: \(line)")
        }
        families[family]!.samples.append((name, labels, value))
    }

    /// Buckets never fall, the last is +Inf, and it is the count.
    private func check(histogram name: String, _ family: Family) throws {
        func series(_ labels: [String: String]) -> [String: String] { labels.filter { $0.key != "le" } }
        for labels in Set(family.samples.map { series($0.labels) }) {
            let samples = family.samples.filter { series($0.labels) == labels }
            let buckets = try samples.filter { $0.name == name + "_bucket" }.map { sample in
                guard let text = sample.labels["le"], let bound = Double(text == "+Inf" ? "infinity" : text) else {
                    throw HarnessError("a bucket of \(name) without a bound")
                }
                return (bound: bound, count: sample.value)
            }
            let isSorted = zip(buckets, buckets.dropFirst()).allSatisfy { $0.bound < $1.bound && $0.count <= $1.count }
            guard isSorted, let last = buckets.last, last.bound == .infinity,
                samples.first(where: { $0.name == name + "_count" })?.value == last.count,
                samples.contains(where: { $0.name == name + "_sum" })
            else { throw HarnessError("the histogram \(name) \(labels) does not add up") }
        }
    }
}
