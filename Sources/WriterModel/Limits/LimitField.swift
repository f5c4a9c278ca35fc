import Bytewise

/// One limit: its name on the command line, in the environment, in a configuration file and in messages to
/// encoders, what it may be, and what the documentation says of it.
public struct LimitField: Sendable {
    public enum Value: Sendable {
        case whole(WritableKeyPath<ServiceLimits, Int> & Sendable, ClosedRange<Int>)
        case number(WritableKeyPath<ServiceLimits, Double> & Sendable, ClosedRange<Double>)
    }

    public enum Unit: String, Sendable {
        case count, seconds, bytes, percent
    }

    /// As its option is called: "max-writers".
    public let name: String
    public let value: Value
    public let unit: Unit
    /// What 0 stands for, which may lie outside the range; nil: 0 is a number like others.
    public let zero: String?
    /// What is bounded, without the full stop.
    public let help: String
    /// Further sentences.
    public let detail: String
    /// A running server takes another value: for its next writers, where it bounds those.
    public let isReloadable: Bool

    init(
        _ name: String, _ value: Value, in unit: Unit = .count, zero: String? = nil, _ help: String, _ detail: String = "", reloadable: Bool = false
    ) {
        self.name = name
        self.value = value
        self.unit = unit
        self.zero = zero
        self.help = help
        self.detail = detail
        isReloadable = reloadable
    }

    /// In JSON: "max_writers".
    public var member: String { name.parts(at: "-").joined(separator: "_") }

    /// "from 1 to 1000000", "0 or at least 1048576"
    public var rule: String {
        switch value {
        case .whole(_, let range):
            rule(range.lowerBound, String(range.lowerBound), range.upperBound == .max ? nil : String(range.upperBound))
        case .number(_, let range):
            rule(range.lowerBound, ServiceLimits.text(range.lowerBound), ServiceLimits.text(range.upperBound))
        }
    }

    private func rule<T: Numeric & Comparable>(_ least: T, _ lower: String, _ upper: String?) -> String {
        let range = upper.map { "from \(lower) to \($0)" } ?? "at least \(lower)"
        return zero != nil && least > 0 ? "0 or \(range)" : range
    }

    /// What it is in these limits, as text that `set` takes.
    public func text(in limits: ServiceLimits) -> String {
        switch value {
        case .whole(let path, _): String(limits[keyPath: path])
        case .number(let path, _): ServiceLimits.text(limits[keyPath: path])
        }
    }

    /// False, and nothing set, for what is no number or against the rule.
    public func set(_ text: String, in limits: inout ServiceLimits) -> Bool {
        switch value {
        case .whole:
            guard text.utf8.allSatisfy(\.isASCIIDigit), let number = Int64(text) else { return false }
            return set(.integer(number), in: &limits)
        case .number:
            guard let number = Double(text) else { return false }
            return set(.number(number), in: &limits)
        }
    }

    func copy(from other: ServiceLimits, to limits: inout ServiceLimits) {
        switch value {
        case .whole(let path, _): limits[keyPath: path] = other[keyPath: path]
        case .number(let path, _): limits[keyPath: path] = other[keyPath: path]
        }
    }

    func json(of limits: ServiceLimits) -> JSONValue {
        switch value {
        case .whole(let path, _): .integer(Int64(limits[keyPath: path]))
        case .number(let path, _): .number(limits[keyPath: path])
        }
    }

    func set(_ json: JSONValue, in limits: inout ServiceLimits) -> Bool {
        switch value {
        case .whole(let path, let range):
            guard let number = json.integerValue.flatMap({ Int(exactly: $0) }), allows(number, range) else { return false }
            limits[keyPath: path] = number
        case .number(let path, let range):
            guard let number = json.numberValue, allows(number, range) else { return false }
            limits[keyPath: path] = number
        }
        return true
    }

    private func allows<T: Numeric & Comparable>(_ number: T, _ range: ClosedRange<T>) -> Bool {
        range.contains(number) || zero != nil && number == 0
    }
}
