import Bytewise

/// Stores in variables: `PENSTOCK_STORE_NAME_ENDPOINT` and so on. NAME in capitals, with `_` for the hyphens of the store's name.
package enum StoreEnvironment {
    package static let prefix = "PENSTOCK_STORE_"
    private static let fields = StoreFlaw.Field.allCases.filter { $0 != .name }

    /// A variable that is wrong: it names that, and never its value.
    package struct Flaw: Error, Sendable, Equatable, CustomStringConvertible {
        package let variable: String
        package let reason: String
        package var description: String { "\(variable): \(reason)" }
    }

    /// What each store's variables say, by its name and the fields' names, in order. Each has been made of them once.
    package static func fields(in environment: [String: String]) throws(Flaw) -> [(name: String, fields: [String: String])] {
        var byName: [ByteKey: [String: String]] = [:]
        for (variable, value) in environment {
            guard let rest = variable.without(prefix: prefix) else { continue }
            let (name, field) = try cut(rest, variable)
            if value.utf8.contains(0) { throw Flaw(variable: variable, reason: "it has a NUL character in it") }
            byName[ByteKey(Self.name(ofVariable: name)), default: [:]][field.rawValue] = value
        }
        var all: [(name: String, fields: [String: String])] = []
        for (name, fields) in byName.sorted(by: { $0.key < $1.key }) {
            _ = try store(name.text, fields)
            all.append((name.text, fields))
        }
        return all
    }

    private static func name(ofVariable text: String) -> String {
        String(decoding: text.lowercasedASCII.utf8.map { $0 == 0x5F ? 0x2D : $0 }, as: UTF8.self)
    }

    private static func variable(_ name: String, _ field: StoreFlaw.Field) -> String {
        let name = String(decoding: name.utf8.map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self)
        return prefix + name.uppercasedASCII + "_" + field.rawValue.uppercasedASCII
    }

    private static func store(_ name: String, _ fields: [String: String]) throws(Flaw) -> Store {
        do throws(StoreFlaw) { return try Store(name: name, fields: fields) } catch {
            throw Flaw(variable: variable(name, error.field), reason: error.reason)
        }
    }

    /// The name and the field of what stands behind the prefix.
    private static func cut(_ rest: String, _ variable: String) throws(Flaw) -> (name: String, field: StoreFlaw.Field) {
        // "_KEY" ends one, "_ACCESS_KEY" another: the longest counts.
        let found = fields.filter { rest.ends(with: "_" + $0.rawValue.uppercasedASCII) }.max { $0.rawValue.utf8.count < $1.rawValue.utf8.count }
        guard let field = found, let name = rest.without(suffix: "_" + field.rawValue.uppercasedASCII) else {
            let known = fields.map { $0.rawValue.uppercasedASCII }
            let near = rest.parts(at: "_").last?.nearest(among: known).map { "; \($0) is" } ?? ""
            throw Flaw(variable: variable, reason: "it ends in no field of a store\(near): \(known.joined(separator: ", "))")
        }
        let isName = !name.isEmpty && name.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0.isASCIIDigit || $0 == 0x5F }
        guard isName else { throw Flaw(variable: variable, reason: "between \(prefix) and the field stands the store's name: capital letters, digits and _") }
        return (name, field)
    }
}

extension StringProtocol {
    fileprivate var uppercasedASCII: String { String(decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self) }
}
