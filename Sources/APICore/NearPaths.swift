import Bytewise
import HTTP1
import WriterModel

/// The paths that an unknown one may have been meant for.
enum NearPaths {
    private static let most = 3
    private static let mostSegments = 8
    private static let mostBytes = 200

    /// Of all routes, each once.
    static let all = Route.all.reduce(into: [String]()) { templates, route in
        if !templates.contains(where: { $0.isSame(as: route.template) }) { templates.append(route.template) }
    }

    private static let parts = all.map { (template: $0, parts: $0.parts(at: "/", omittingEmpty: true)) }

    /// Templates, nearest first; none where no path is written like the target's.
    static func of(_ target: RequestTarget) -> [String] {
        let written = target.segments.filter { !$0.isEmpty }.map(\.lowercasedASCII)
        guard (1...mostSegments).contains(written.count), target.rawPath.utf8.count <= mostBytes else { return [] }
        if let meant = written.last.flatMap({ otherNames[$0] }) { return meant }
        let scored = parts.compactMap { template, parts -> (score: Int, template: String)? in
            let scores = [distance(written, parts), distance(["v1"] + written, parts).map { $0 + 1 }].compactMap { $0 }
            return scores.min().map { ($0, template) }
        }
        let best = scored.map(\.score).min() ?? 0
        // The same score keeps the table's order.
        let near = scored.enumerated().filter { $0.element.score <= best + 1 }
        return near.sorted { ($0.element.score, $0.offset) < ($1.element.score, $1.offset) }.prefix(most).map(\.element.template)
    }

    private static let finalize = ["/v1/writers/{id}/finalize"]

    /// Where others have their health checks and their contracts, and what they call the end of a writer.
    private static let otherNames = [
        "health": ["/livez", "/readyz"], "healthz": ["/livez", "/readyz"], "ping": ["/livez"], "status": ["/readyz"], "docs": ["/openapi.yaml"],
        "swagger": ["/openapi.yaml"], "swagger.json": ["/openapi.yaml"], "close": finalize, "finish": finalize, "complete": finalize, "end": finalize,
        "stop": finalize,
    ]

    /// nil: they are not alike. A last segment may be missing, or be one too many.
    private static func distance(_ written: [String], _ template: [String]) -> Int? {
        let common = min(written.count, template.count)
        // "/v1" alone is like every path.
        guard abs(written.count - template.count) <= 1, common > 0, template.count == 1 || common > 1 else { return nil }
        var sum = written.count == template.count ? 0 : 2
        for (segment, part) in zip(written, template) where !part.begins(with: "{") {
            guard let distance = distance(segment, part) else { return nil }
            sum += distance
        }
        return sum
    }

    private static func distance(_ segment: String, _ part: String) -> Int? {
        if segment.isSame(as: part) { return 0 }
        if segment.utf8.count >= 4 && part.holds(segment) { return 1 }
        let distance = segment.editDistance(to: part)
        return distance <= max(1, part.utf8.count / 3) && distance < part.utf8.count ? distance : nil
    }
}
