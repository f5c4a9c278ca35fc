extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lf: UInt8 { 0x0A }
    static var cr: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }

    /// What a field value may not hold: CTL except HTAB (RFC 9110 §5.5). CR and LF are among them.
    @inline(__always)
    var isControl: Bool { self < 0x20 && self != .tab || self == 0x7F }

    /// OWS, RFC 9110 §5.6.3.
    @inline(__always)
    var isWhitespace: Bool { self == .space || self == .tab }

    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    var decimalDigit: UInt8? {
        let digit = self &- 0x30
        return digit < 10 ? digit : nil
    }

    var hexDigit: UInt8? {
        if let decimalDigit { return decimalDigit }
        let letter = lowercased &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    func equalsIgnoringCase(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].lowercased != other[index].lowercased { return false }
        return true
    }

    func equalsIgnoringCase(_ other: StaticString) -> Bool {
        equalsIgnoringCase(UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
    }

    func equalsIgnoringCase(_ other: String) -> Bool {
        var other = other
        return other.withUTF8 { equalsIgnoringCase(UnsafeRawBufferPointer($0)) }
    }

    var trimmedOfWhitespace: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start].isWhitespace { start += 1 }
        while end > start, self[end - 1].isWhitespace { end -= 1 }
        return slice(start..<end)
    }

    /// 1*DIGIT as a number, up to `Int64.max`, so that it is always an `Int` too.
    var decimalNumber: UInt64? {
        guard !isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in self {
            guard let digit = byte.decimalDigit else { return nil }
            let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
            guard !overflow, scaled <= UInt64(Int64.max) - UInt64(digit) else { return nil }
            number = scaled + UInt64(digit)
        }
        return number
    }

    /// The index of the first control byte at or after `start`.
    func firstControl(from start: Int) -> Int? {
        var index = start
        while index + 8 <= count {
            // Eight bytes at once. The lowest flag is exact; HTAB is flagged too and sorted out below.
            let word = UInt64(littleEndian: loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let below0x20 = (word &- 0x2020_2020_2020_2020) & ~word
            let is0x7F = (delete &- 0x0101_0101_0101_0101) & ~delete
            let flags = (below0x20 | is0x7F) & 0x8080_8080_8080_8080
            if flags == 0 {
                index += 8
                continue
            }
            index += flags.trailingZeroBitCount / 8
            if self[index].isControl { return index }
            index += 1
        }
        while index < count {
            if self[index].isControl { return index }
            index += 1
        }
        return nil
    }
}
