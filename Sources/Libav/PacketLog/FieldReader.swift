/// Reads what a FieldWriter wrote, from bytes that may be anything. Each error names the field.
package struct FieldReader {
    private let bytes: ArraySlice<UInt8>
    private var next: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        next = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package var bytesLeft: Int { bytes.endIndex - next }

    package mutating func take(_ count: Int, _ field: String) throws(PacketLogError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytesLeft else {
            throw .malformed("\(field) takes \(count) bytes, and \(bytesLeft) are left")
        }
        defer { next += count }
        return bytes[next..<(next + count)]
    }

    package mutating func integer<T: FixedWidthInteger>(_ field: String, as type: T.Type = T.self) throws(PacketLogError) -> T {
        let taken = try take(MemoryLayout<T>.size, field)
        var value: T = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: taken) }
        return T(littleEndian: value)
    }

    package mutating func integer<T: FixedWidthInteger>(_ field: String, in range: ClosedRange<T>) throws(PacketLogError) -> T {
        let value = try integer(field, as: T.self)
        guard range.contains(value) else {
            throw .malformed("\(field) is \(value); it is \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    package mutating func flag(_ field: String) throws(PacketLogError) -> Bool { try integer(field, in: UInt8(0)...1) == 1 }

    /// UTF-8 without a zero byte.
    package mutating func text(_ field: String) throws(PacketLogError) -> String {
        let taken = try sized(field)
        guard !taken.contains(0), let text = String(validating: taken, as: UTF8.self) else {
            throw .malformed("\(field) is no text of UTF-8 without a zero byte")
        }
        return text
    }

    package mutating func sized(_ field: String) throws(PacketLogError) -> ArraySlice<UInt8> {
        let count: UInt32 = try integer("the length of \(field)")
        return try take(Int(count), field)
    }

    /// A numerator that is not negative and a denominator that is positive; both may be zero where none is known.
    package mutating func fraction(_ field: String) throws(PacketLogError) -> Fraction {
        let value = Fraction(try integer("the numerator of \(field)"), try integer("the denominator of \(field)"))
        guard value.numerator >= 0, value.denominator > 0 || value.numerator == 0 && value.denominator == 0 else {
            throw .malformed("\(field) is \(value.numerator)/\(value.denominator), which is no fraction")
        }
        return value
    }

    package mutating func positiveFraction(_ field: String) throws(PacketLogError) -> Fraction {
        let value = try fraction(field)
        guard value.isPositive else { throw .malformed("\(field) is \(value.numerator)/\(value.denominator); it is positive") }
        return value
    }

    /// As many as the count in front says; each takes at least a byte, so that a count is no more than the bytes left.
    package mutating func each<T>(
        _ field: String, _ read: (inout FieldReader) throws(PacketLogError) -> T
    ) throws(PacketLogError) -> [T] {
        let count: UInt32 = try integer("the number of \(field)")
        guard Int(count) <= bytesLeft else { throw .malformed("there are \(count) \(field), and \(bytesLeft) bytes are left") }
        var values: [T] = []
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Nothing may follow.
    package func end(_ thing: String) throws(PacketLogError) {
        if bytesLeft > 0 { throw .malformed("\(bytesLeft) bytes follow \(thing)") }
    }
}
