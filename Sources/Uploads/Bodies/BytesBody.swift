import Threading

/// A body that is in memory.
final class BytesBody: RequestBody {
    private let bytes: [UInt8]
    private let read = Monitor(0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var size: Int? { bytes.count }
    var position: Int { read.withLock { $0 } }
    var isAtEnd: Bool { position == bytes.count }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> BodyRead {
        read.withLock { position in
            let count = min(buffer.count, bytes.count - position)
            if count == 0 { return .end }
            bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count])) }
            position += count
            return .bytes(count)
        }
    }

    func rewind() -> Bool {
        read.withLock { $0 = 0 }
        return true
    }
}
