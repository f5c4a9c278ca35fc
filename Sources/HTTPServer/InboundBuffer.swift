/// Bytes read from a connection and not used yet.
struct InboundBuffer {
    private var storage: [UInt8] = []
    private var start = 0
    private var end = 0

    init(_ bytes: [UInt8] = []) {
        storage = bytes
        end = bytes.count
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }
    var bytes: [UInt8] { Array(storage[start..<end]) }

    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let (start, end) = (start, end)
        // The closure types of the standard library do not carry typed errors here.
        let result: Result<R, E> = storage.withUnsafeBytes { bytes in
            do throws(E) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end])))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    mutating func consume(_ count: Int) {
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    /// Lets `fill` append up to `capacity` bytes; it returns how many it did.
    mutating func append(capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        append(capacity: capacity) { space in Result<Int, Never>.success(fill(space)) }
    }

    /// The same where nothing may come of it.
    @discardableResult
    mutating func append<E: Error>(
        capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Result<Int, E>
    ) -> Result<Void, E> {
        if start > 0 && storage.count - end < capacity {
            storage.withUnsafeMutableBytes { bytes in
                let moved = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                UnsafeMutableRawBufferPointer(rebasing: bytes[..<moved.count]).copyMemory(from: moved)
            }
            (start, end) = (0, end - start)
        }
        if storage.count - end < capacity {
            storage.append(contentsOf: repeatElement(0, count: end + capacity - storage.count))
        }
        let free = end..<(end + capacity)
        let result = storage.withUnsafeMutableBytes { bytes in
            fill(UnsafeMutableRawBufferPointer(rebasing: bytes[free]))
        }
        return result.map { end += $0 }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        append(capacity: bytes.count) { space in
            space.copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// Copies up to `limit` bytes into `regions`, in order, behind their first `taken`; returns how many.
    mutating func move(into regions: [UnsafeMutableRawBufferPointer], behind taken: Int = 0, limit: Int) -> Int {
        let total = min(count, limit)
        var (moved, skipped) = (0, taken)
        withBytes { bytes in
            for region in regions where moved < total {
                let start = min(skipped, region.count)
                skipped -= start
                let free = UnsafeMutableRawBufferPointer(rebasing: region[start...])
                let part = min(free.count, total - moved)
                free.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[moved..<(moved + part)]))
                moved += part
            }
        }
        consume(moved)
        return moved
    }

    /// Holds no more memory than there are bytes.
    mutating func compact() {
        if storage.count > count { self = InboundBuffer(bytes) }
    }
}
