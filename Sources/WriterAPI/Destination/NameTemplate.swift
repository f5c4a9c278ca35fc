import Bytewise

/// A name in which libav puts numbers, as its muxers read it.
struct NameTemplate {
    let text: String

    /// A wider number libav cuts, so that all of them are the same.
    private static let (mostWidth, digits) = (19, 3)

    private enum Item {
        case text([UInt8])
        /// `%d`, `%03d`.
        case number([UInt8])
        /// `%%`.
        case percent
        /// A percent sign before anything else.
        case stray
    }

    private var items: [Item] {
        var items: [Item] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            guard byte == UInt8(ascii: "%") else {
                items.append(.text([byte]))
                rest = rest.dropFirst()
                continue
            }
            let digits = rest.dropFirst().prefix(while: \.isASCIIDigit)
            switch rest[digits.endIndex...].first {
            case UInt8(ascii: "d") where digits.count <= Self.digits && (Int(String(decoding: digits, as: UTF8.self)) ?? 0) <= Self.mostWidth:
                items.append(.number(Array(rest[...digits.endIndex])))
                rest = rest[(digits.endIndex + 1)...]
            case UInt8(ascii: "%") where digits.isEmpty:
                items.append(.percent)
                rest = rest.dropFirst(2)
            default:
                items.append(.stray)
                rest = rest.dropFirst()
            }
        }
        return items
    }

    enum Piece {
        case text([UInt8])
        /// Of so many digits at least.
        case number(Int)
    }

    /// What stands in it, but for its numbers.
    var pieces: [Piece] {
        items.map { item in
            switch item {
            case .text(let bytes): .text(bytes)
            case .number(let bytes): .number(Int(String(decoding: bytes.filter(\.isASCIIDigit), as: UTF8.self)) ?? 1)
            case .percent, .stray: .text([UInt8(ascii: "%")])
            }
        }
    }

    /// Where a number is put.
    var numbers: Int { items.count { if case .number = $0 { true } else { false } } }

    /// A percent sign that stands for nothing, which image2 and segment refuse when they make their second file.
    var hasStrayPercent: Bool { items.contains { if case .stray = $0 { true } else { false } } }

    /// The same with each of those written as `%%`.
    var escaped: String {
        String(
            decoding: items.flatMap { item -> [UInt8] in
                switch item {
                case .text(let bytes), .number(let bytes): bytes
                case .percent, .stray: Array("%%".utf8)
                }
            }, as: UTF8.self)
    }

    /// Whether it is `name` with some number. Of templates with one.
    func mayBe(_ name: String) -> Bool {
        var literals: [[UInt8]] = [[]]
        for item in items {
            switch item {
            case .text(let bytes): literals[literals.count - 1] += bytes
            case .percent, .stray: literals[literals.count - 1].append(UInt8(ascii: "%"))
            case .number: literals.append([])
            }
        }
        let bytes = Array(name.utf8)
        guard literals.count == 2, bytes.starts(with: literals[0]), bytes.reversed().starts(with: literals[1].reversed()) else { return false }
        let number = bytes.dropFirst(literals[0].count).dropLast(literals[1].count)
        return !number.isEmpty && number.allSatisfy(\.isASCIIDigit)
    }

    /// The same with a number before the extension.
    var numbered: String { inserting("%d") }

    /// With `part` before the extension.
    func inserting(_ part: String) -> String {
        let (folder, name) = text.cutAtLast("/").map { ($0.before + "/", $0.after) } ?? ("", text)
        guard let (stem, ending) = name.cutAtLast(".") else { return text + part }
        return "\(folder)\(stem)\(part).\(ending)"
    }

    /// hls puts its number wherever a `d` follows a percent sign and digits.
    var hasNumber: Bool { numbers > 0 }

    /// dash: "$Number$", "$Time%05d$".
    func hasVariable(_ names: String...) -> Bool {
        text.parts(at: "$").dropFirst().dropLast().contains { part in
            names.contains { name in
                guard let rest = part.without(prefix: name) else { return false }
                if rest.isEmpty { return true }
                // libav wants the zero, and a width of one digit.
                guard rest.begins(with: "%0"), rest.ends(with: "d"), rest.utf8.count == 4 else { return false }
                return rest.utf8.dropFirst(2).dropLast().allSatisfy(\.isASCIIDigit)
            }
        }
    }
}
