/// Takes a destination's secrets out of texts that others wrote: libav's errors and log lines
/// name the URL whole.
public struct Redaction: Sendable, Equatable {
    private let replacements: [(secret: String, shown: String)]

    public static let none = Redaction(replacements: [])

    private init(replacements: [(secret: String, shown: String)]) { self.replacements = replacements }

    /// For a `dst`; one that is no URL holds no secret.
    public init(destination: String?) {
        guard let destination, let parts = URLParts(destination) else {
            self = .none
            return
        }
        var replacements = [(destination, parts.redacted)]
        if let at = parts.authority.lastIndex(of: "@") {
            replacements.append((String(parts.authority[...at]), "***@"))
        }
        let path = parts.rest.prefix { $0 != "?" && $0 != "#" }
        let query = parts.rest.dropFirst(path.count + 1)
        replacements.append((String(query), "***"))
        // The stream key of rtmp, which its protocol also names by itself.
        let key = path.split(separator: "/").last.map(String.init) ?? ""
        replacements.append((key, "***"))
        self.init(replacements: replacements.filter { $0.0.utf8.count >= 3 }.map { (secret: $0.0, shown: $0.1) })
    }

    public func apply(to text: String) -> String {
        replacements.reduce(text) { text, replacement in Self.replace(replacement.secret, by: replacement.shown, in: text) }
    }

    public func apply(to problem: Problem) -> Problem {
        var problem = problem
        problem.detail = apply(to: problem.detail)
        problem.libavError = problem.libavError.map { apply(to: $0) }
        problem.log = problem.log.map { apply(to: $0) }
        return problem
    }

    public static func == (left: Redaction, right: Redaction) -> Bool {
        left.replacements.elementsEqual(right.replacements) { $0 == $1 }
    }

    private static func replace(_ secret: String, by shown: String, in text: String) -> String {
        let (needle, haystack) = (Array(secret.utf8), Array(text.utf8))
        var result: [UInt8] = []
        var index = 0
        while index < haystack.count {
            if haystack[index...].starts(with: needle) {
                result += shown.utf8
                index += needle.count
            } else {
                result.append(haystack[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
