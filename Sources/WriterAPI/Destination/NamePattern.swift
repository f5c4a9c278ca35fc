import Bytewise

/// The names that a muxer may make of one with numbers in it.
struct NamePattern {
    fileprivate enum Symbol {
        case byte(UInt8)
        case digit
        /// Any number of them, also none.
        case digits
    }

    private var symbols: [Symbol]

    /// Of one name.
    init(_ name: String) { symbols = name.utf8.map { .byte($0) } }

    /// `%d`, `%03d`, as image2 and segment have it.
    init(counting template: NameTemplate) {
        symbols = template.pieces.flatMap { piece -> [Symbol] in
            switch piece {
            case .text(let bytes): bytes.map { .byte($0) }
            case .number(let width): Self.number(width)
            }
        }
    }

    /// `$Number%05d$` and the like, as dash has it, of one stream.
    init(dash template: String, stream: Int, fileExtension: String) {
        symbols = template.parts(at: "$").enumerated().flatMap { index, part -> [Symbol] in
            if index.isMultiple(of: 2) { return part.utf8.map { .byte($0) } }
            switch part.until("%") {
            case "": return [.byte(UInt8(ascii: "$"))]
            case "RepresentationID": return "\(stream)".utf8.map { .byte($0) }
            case "ext": return fileExtension.utf8.map { .byte($0) }
            case "Number", "Time", "Bandwidth": return Self.number(Int(part.utf8.filter(\.isASCIIDigit).map { Int($0) - 0x30 }.last ?? 1))
            default: return "$\(part)$".utf8.map { .byte($0) }
            }
        }
    }

    /// The same names with that behind.
    func with(suffix: String) -> NamePattern {
        var pattern = self
        pattern.symbols += suffix.utf8.map { .byte($0) }
        return pattern
    }

    private static func number(_ width: Int) -> [Symbol] { Array(repeating: .digit, count: max(width, 1)) + [.digits] }

    /// Whether some name is one of both.
    func meets(_ other: NamePattern) -> Bool {
        var tried: Set<[Int]> = []
        var places = [[0, 0]]
        while let place = places.popLast() {
            guard tried.insert(place).inserted else { continue }
            let (i, j) = (place[0], place[1])
            if i == symbols.count && j == other.symbols.count { return true }
            let (mine, theirs) = (i < symbols.count ? symbols[i] : nil, j < other.symbols.count ? other.symbols[j] : nil)
            if case .digits? = mine { places.append([i + 1, j]) }
            if case .digits? = theirs { places.append([i, j + 1]) }
            guard let mine, let theirs, Self.haveCommonByte(mine, theirs) else { continue }
            places.append([mine.isRun ? i : i + 1, theirs.isRun ? j : j + 1])
        }
        return false
    }

    private static func haveCommonByte(_ a: Symbol, _ b: Symbol) -> Bool {
        switch (a, b) {
        case (.byte(let a), .byte(let b)): a == b
        case (.byte(let byte), _), (_, .byte(let byte)): byte.isASCIIDigit
        default: true
        }
    }
}

extension NamePattern.Symbol {
    fileprivate var isRun: Bool { if case .digits = self { true } else { false } }
}
