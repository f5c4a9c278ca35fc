/// Makes bytes of values: integers with their lowest byte first, texts and bytes behind their length in 32 bits.
package struct FieldWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func put(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    package mutating func put(_ text: String) {
        put(UInt32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func put(_ value: Fraction) {
        put(value.numerator)
        put(value.denominator)
    }

    package mutating func put(sized value: some Collection<UInt8>) {
        put(UInt32(clamping: value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func put(raw value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    /// A count, then each.
    package mutating func put<T>(each values: some Collection<T>, _ put: (inout FieldWriter, T) -> Void) {
        self.put(UInt32(clamping: values.count))
        for value in values { put(&self, value) }
    }
}
