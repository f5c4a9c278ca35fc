import Bytewise

/// The head of a NumPy array file, versions 1 to 3 (numpy.lib.format).
public struct NPYHeader: Sendable, Equatable {
    /// NumPy's type string: "<f4", "|u1".
    public let dtype: String
    public let fortranOrder: Bool
    public let shape: [Int]

    public init(dtype: String, fortranOrder: Bool, shape: [Int]) {
        self.dtype = dtype
        self.fortranOrder = fortranOrder
        self.shape = shape
    }

    /// What is wrong with the bytes, to follow "The array ".
    public struct Malformed: Error, Sendable, Equatable {
        public let reason: String
    }

    public enum Parsed: Sendable, Equatable {
        /// The head ends there, or is known to be longer than that.
        case needsMore(bytes: Int)
        case complete(NPYHeader, bytes: Int)
    }

    /// NumPy's own limit for the text when it reads one from strangers is 10,000 bytes.
    public static let maxBytes = 16 * 1_024

    /// How an array comes out of numpy.savez's archive, in NumPy's words.
    public static let ofArchive = "numpy.load(FILE)[NAME] as numpy.save writes it"

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Looks for the head at the start of `bytes`.
    public static func parse(_ bytes: [UInt8]) throws(Malformed) -> Parsed {
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
            throw Malformed(reason: "does not begin as an .npy file does, but as an .npz file: send one of its arrays, \(ofArchive)")
        }
        guard bytes.starts(with: magic.prefix(bytes.count)) else {
            throw Malformed(reason: "does not begin as an .npy file does")
        }
        if bytes.count < 8 { return .needsMore(bytes: 12) }
        guard (1...3).contains(bytes[6]) else {
            throw Malformed(reason: "is of .npy version \(bytes[6]); versions 1 to 3 are known")
        }
        let lengthBytes = bytes[6] == 1 ? 2 : 4
        let textStart = 8 + lengthBytes
        if bytes.count < textStart { return .needsMore(bytes: textStart) }
        let length = bytes[8..<textStart].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= maxBytes else { throw Malformed(reason: "has a head of \(length) bytes; \(maxBytes) are the most") }
        let end = textStart + length
        if bytes.count < end { return .needsMore(bytes: end) }
        guard let text = String(validating: bytes[textStart..<end], as: UTF8.self) else {
            throw Malformed(reason: "has a head that is not text")
        }
        var literal = PythonDictionary(text)
        return .complete(try literal.header(), bytes: end)
    }
}

/// The Python dictionary in an .npy head: the three keys NumPy writes, in any order.
private struct PythonDictionary {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    mutating func header() throws(NPYHeader.Malformed) -> NPYHeader {
        var dtype: String?
        var fortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where dtype == nil: dtype = try string()
            case "fortran_order" where fortranOrder == nil: fortranOrder = try bool()
            case "shape" where shape == nil: shape = try tuple()
            default: throw malformed("has a head with the key '\(key)' where none is expected")
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard rest.isEmpty, let dtype, let fortranOrder, let shape else {
            throw malformed("has a head without descr, fortran_order and shape")
        }
        return NPYHeader(dtype: dtype, fortranOrder: fortranOrder, shape: shape)
    }

    private func malformed(_ reason: String) -> NPYHeader.Malformed { .init(reason: reason) }

    private mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 } }

    private mutating func take(_ text: String) -> Bool {
        skipSpace()
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func expect(_ text: String) throws(NPYHeader.Malformed) {
        if !take(text) { throw malformed("has a head without a '\(text)' where one belongs") }
    }

    private mutating func string() throws(NPYHeader.Malformed) -> String {
        skipSpace()
        guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw malformed("has a structured dtype or no dtype; it must have one plain number type")
        }
        rest = rest.dropFirst()
        guard let end = rest.firstIndex(of: quote), !rest[..<end].contains(UInt8(ascii: "\\")) else {
            throw malformed("has a head with a text that does not end")
        }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        rest = rest[rest.index(after: end)...]
        return text
    }

    private mutating func bool() throws(NPYHeader.Malformed) -> Bool {
        if take("True") { return true }
        if take("False") { return false }
        throw malformed("has a fortran_order that is neither True nor False")
    }

    private mutating func tuple() throws(NPYHeader.Malformed) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !take(")") {
            skipSpace()
            let digits = rest.prefix(while: \.isASCIIDigit)
            guard let number = Int(String(decoding: digits, as: UTF8.self)), numbers.count < 32 else {
                throw malformed("has a shape that is not a tuple of lengths")
            }
            rest = rest.dropFirst(digits.count)
            // Python 2 wrote long integers so.
            _ = take("L")
            numbers.append(number)
            if !take(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }
}
