/// The elements of a comma-separated field value, trimmed. Empty ones are passed over (RFC 9110 §5.6.1.2).
struct ListElements: Sequence, IteratorProtocol {
    private let value: UnsafeRawBufferPointer
    private var position = 0

    init(_ value: UnsafeRawBufferPointer) {
        self.value = value
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        while position < value.count {
            var end = position
            while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
            let element = value.slice(position..<end).trimmedOfWhitespace
            position = end + 1
            if !element.isEmpty { return element }
        }
        return nil
    }
}
