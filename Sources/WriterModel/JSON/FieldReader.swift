import Bytewise

/// Reads the members of a JSON object of a request. Every member must be read by the time
/// `finish()` is called: one that was not asked for is an error, not ignored. Errors name
/// the member by its JSON Pointer (RFC 6901). An unknown member is named before one that is missing, which it may
/// have been meant for.
public struct FieldReader {
    public let pointer: String
    private let object: JSONObject
    private let place: ParameterSuggestion.Place
    private var known: [String] = []
    /// The first member that is needed and not there.
    private var missing: Problem?

    /// `place` says what its unknown members may have been meant for.
    public init(_ value: JSONValue, at pointer: String = "", _ place: ParameterSuggestion.Place = .other) throws(Problem) {
        guard case .object(let object) = value else {
            throw Self.problem(pointer, "must be an object, and is \(value.kind)")
        }
        self.object = object
        self.pointer = pointer
        self.place = place
    }

    /// The names of all members, read or not.
    public var names: [String] { object.members.map(\.name) }

    /// `finish` throws that a member is needed, unless another is unknown. `rule` continues "it …".
    public mutating func lacks(_ name: String, _ rule: String, supported: [String]? = nil) {
        missing = missing ?? problem(name, rule, supported: supported)
    }

    /// The member as it is; null counts as absent.
    public mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        let value = object[name]
        return value == .null ? nil : value
    }

    public func pointer(to name: String) -> String {
        let escaped = name.parts(at: "~").joined(separator: "~0").parts(at: "/").joined(separator: "~1")
        return "\(pointer)/\(escaped)"
    }

    /// The problem for a member whose value can't be used. `rule` continues "it …".
    public func problem(_ name: String, _ rule: String, supported: [String]? = nil) -> Problem {
        Self.problem(pointer(to: name), rule, supported: supported)
    }

    public mutating func string(_ name: String) throws(Problem) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let string) = value else {
            throw problem(name, "must be a string, and is \(value.kind)")
        }
        if string.utf8.contains(0) { throw problem(name, "must not hold a NUL character") }
        return string
    }

    public mutating func integer(_ name: String) throws(Problem) -> Int? {
        guard let value = value(name) else { return nil }
        switch value {
        case .integer(let integer): return Int(integer)
        case .number(let number):
            if let integer = Int(exactly: number) { return integer }
            throw problem(name, "must be a whole number, and is \(number)")
        default: throw problem(name, "must be a whole number, and is \(value.kind)")
        }
    }

    /// A whole number, or text as FFmpeg's options have numbers: "32k", "2.5M".
    public mutating func count(_ name: String) throws(Problem) -> Int? {
        guard case .string(let text)? = value(name) else { return try integer(name) }
        if let count = CountText.value(of: text) { return count }
        throw problem(name, "must be a whole number such as 32000, \"32k\" or \"2.5M\", and is \(JSONValue.string(text.shortened()).description)")
    }

    public mutating func number(_ name: String) throws(Problem) -> Double? {
        guard let value = value(name) else { return nil }
        switch value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        default: throw problem(name, "must be a number, and is \(value.kind)")
        }
    }

    public mutating func bool(_ name: String) throws(Problem) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let bool) = value else {
            throw problem(name, "must be true or false, and is \(value.kind)")
        }
        return bool
    }

    /// An object of options or metadata. Numbers and booleans are taken for their text, as
    /// every libav option has one; null counts as absent.
    public mutating func map(_ name: String) throws(Problem) -> [String: String]? {
        guard let value = value(name) else { return nil }
        return try Self.map(value, at: pointer(to: name))
    }

    public static func map(_ value: JSONValue, at pointer: String) throws(Problem) -> [String: String] {
        let reader = try FieldReader(value, at: pointer)
        var map: [String: String] = [:]
        for member in reader.object.members {
            // A dictionary would keep one of the two.
            if map[member.name] != nil {
                throw reader.problem(member.name, "differs from another name here only in how its characters are composed")
            }
            switch member.value {
            case .string(let text): map[member.name] = text
            case .integer(let integer): map[member.name] = String(integer)
            case .number(let number): map[member.name] = String(number)
            case .bool(let bool): map[member.name] = bool ? "1" : "0"
            case .null: continue
            default: throw reader.problem(member.name, "must be a string, a number or a boolean, and is \(member.value.kind)")
            }
            if member.name.isEmpty { throw problem(pointer, "has a value without a name") }
            if member.name.utf8.contains(0) || map[member.name]!.utf8.contains(0) {
                throw reader.problem(member.name, "must have no NUL character")
            }
        }
        return map
    }

    public mutating func array(_ name: String) throws(Problem) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value else {
            throw problem(name, "must be an array, and is \(value.kind)")
        }
        return elements
    }

    /// Throws when the object has a member that was never asked for, or lacks one that is needed.
    public func finish() throws(Problem) {
        try refuseUnknown()
        if let missing { throw missing }
    }

    /// Throws when the object has a member that was never asked for.
    public func refuseUnknown() throws(Problem) {
        guard let unknown = object.members.first(where: { member in !known.contains { $0.isSame(as: member.name) } }) else { return }
        let names = Set(known).sorted()
        let problem = Problem(
            .unknownParameter, "\(pointer(to: unknown.name).shortened()): there is no parameter \"\(unknown.name.shortened())\" here.",
            parameter: Self.parameter(at: pointer(to: unknown.name)), supported: names,
            extras: [("pointer", .string(pointer(to: unknown.name)))])
        throw problem.suggesting(ParameterSuggestion(for: unknown.name, at: place, known: names))
    }

    /// The parameter's name as every problem has it: "codec_config.bit_rate", of whichever stream, and
    /// "option.movflags", wherever the body of open stands.
    static func parameter(at pointer: String) -> String? {
        var names = Array(pointer.parts(at: "/").dropFirst())
        if names.first?.isSame(as: "streams") == true && names.count > 2 { names.removeFirst(2) }
        if names.first?.isSame(as: "open") == true && names.count > 1 { names.removeFirst() }
        // As RFC 6901 §4 has it: "~01" is "~1".
        let unescaped = names.map { name in
            name.parts(at: "~").enumerated().map { index, part in
                if index == 0 { return part }
                return part.without(prefix: "1").map { "/" + $0 } ?? "~" + (part.without(prefix: "0") ?? part)
            }.joined()
        }
        return unescaped.isEmpty ? nil : unescaped.joined(separator: ".")
    }

    private static func problem(_ pointer: String, _ rule: String, supported: [String]? = nil) -> Problem {
        Problem(
            .invalidParameter, "\(pointer.isEmpty ? "The body" : pointer.shortened()) \(rule).",
            parameter: parameter(at: pointer), supported: supported,
            extras: [("pointer", .string(pointer))])
    }
}
