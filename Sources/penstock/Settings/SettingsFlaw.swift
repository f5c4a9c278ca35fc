import Bytewise
import YAML

/// Something that is wrong with what the server was told, and where.
struct SettingsFlaw: Error {
    enum Severity: String {
        /// The server does not start.
        case error
        /// It starts, and it is probably not meant.
        case warning
    }

    enum Place {
        /// Without a mark: the file as a whole.
        case file(String, YAMLMark?)
        case option
        case variable
        /// What is in force, wherever it comes from.
        case together
    }

    var severity = Severity.error
    let place: Place
    /// A sentence without its full stop; it begins with what the setting is called there, and may repeat its value.
    let reason: String

    /// Of a value that is long, what stands before it and behind it is left.
    private static let mostReason = 1_000
    private var shownReason: String { reason.shortenedWithin(to: Self.mostReason) }

    /// "penstock.yaml:3:14: error: max-writers is 0 and must be from 1 to 1000000"
    var description: String { "\(shownPlace)\(severity.rawValue): \(shownReason)" }

    /// "penstock.yaml:3:14: max-writers is 0 and must be from 1 to 1000000."
    var sentence: String { "\(shownPlace)\(shownReason)." }

    private var shownPlace: String {
        guard case .file(let path, let mark) = place else { return "" }
        return mark.map { "\(path):\($0.line):\($0.column): " } ?? "\(path): "
    }
}

extension [SettingsFlaw] {
    var hasErrors: Bool { contains { $0.severity == .error } }

    /// In the order of the file; what stands in no file comes first.
    var inOrder: [SettingsFlaw] {
        enumerated().sorted { one, other in
            let (first, second) = (one.element.mark, other.element.mark)
            return first == second ? one.offset < other.offset : first < second
        }.map(\.element)
    }
}

extension SettingsFlaw {
    fileprivate var mark: YAMLMark {
        if case .file(_, let mark?) = place { return mark }
        return YAMLMark(line: 0, column: 0)
    }
}
