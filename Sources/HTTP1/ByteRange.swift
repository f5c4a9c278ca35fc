/// What a Range field asks of content of a known length (RFC 9110 §14.2).
public enum ByteRange: Sendable, Equatable {
    /// No range, or one that may be ignored: another unit, several ranges, or not in the grammar.
    case whole
    case range(Range<UInt64>)
    /// 416, with `Content-Range: bytes */length`.
    case unsatisfiable

    public static func resolve(_ header: String, length: UInt64) -> ByteRange {
        var header = header
        return header.withUTF8 { resolve(UnsafeRawBufferPointer($0), length: length) }
    }

    private static func resolve(_ header: UnsafeRawBufferPointer, length: UInt64) -> ByteRange {
        let unit: StaticString = "bytes="
        let unitBytes = unit.utf8CodeUnitCount
        guard header.count > unitBytes, header.slice(0..<unitBytes).equalsIgnoringCase(unit) else { return .whole }
        let spec = header.slice(unitBytes..<header.count)
        guard let dash = spec.firstIndex(of: UInt8(ascii: "-")) else { return .whole }
        let first = spec.slice(0..<dash)
        let last = spec.slice(dash + 1..<spec.count)
        return first.isEmpty ? suffix(last, length: length) : interval(first, last, length: length)
    }

    private static func interval(
        _ first: UnsafeRawBufferPointer, _ last: UnsafeRawBufferPointer, length: UInt64
    ) -> ByteRange {
        guard let first = saturatingNumber(first) else { return .whole }
        guard last.isEmpty || saturatingNumber(last).map({ $0 >= first }) == true else { return .whole }
        guard first < length else { return .unsatisfiable }
        let lastPosition = saturatingNumber(last) ?? .max
        return .range(first..<(lastPosition < length ? lastPosition + 1 : length))
    }

    private static func suffix(_ count: UnsafeRawBufferPointer, length: UInt64) -> ByteRange {
        guard let count = saturatingNumber(count) else { return .whole }
        guard count > 0 else { return .unsatisfiable }
        // Satisfiable by the RFC, but Content-Range can not name a range of nothing.
        guard length > 0 else { return .whole }
        return .range(length - min(count, length)..<length)
    }

    /// 1*DIGIT; positions are compared only, so one past the largest number is as good as that.
    private static func saturatingNumber(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard !bytes.isEmpty, bytes.allSatisfy({ $0.decimalDigit != nil }) else { return nil }
        return bytes.decimalNumber ?? .max
    }
}
