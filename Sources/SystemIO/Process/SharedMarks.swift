import CLinux
import Glibc

/// Small numbers that two processes share, in memory without a name: one process writes a slot at a time,
/// and what it wrote last is there for the other when it has died.
public final class SharedMarks: @unchecked Sendable {
    // Unchecked: the memory is only read and written by atomic loads and stores of whole slots and words.
    public let slots: Int
    /// Before the slots, of 64 bits each.
    public static let words = 4_096
    private static let wordBytes = words * MemoryLayout<UInt64>.size

    private let start: UnsafeMutablePointer<UInt32>
    private let firstWord: UnsafeMutablePointer<UInt64>
    /// To be passed to the other process, which needs it no longer than until it has them.
    public let descriptor: Int32

    /// Makes them, all 0. Only pages that are written to take memory.
    public init(slots: Int) throws(SystemError) {
        let made = clinux_make_shared_memory("marks", Self.bytes(slots))
        if made < 0 { throw SystemError("make shared memory") }
        let owned = Descriptor(owning: made)
        (firstWord, start) = try Self.map(made, slots)
        self.slots = slots
        descriptor = owned.take()
    }

    /// Takes those that another process made, as many as it made.
    public init(owning number: Int32) throws(SystemError) {
        let owned = Descriptor(owning: number)
        guard let bytes = File.size(owned.number), bytes > UInt64(Self.wordBytes),
            (bytes - UInt64(Self.wordBytes)) % UInt64(Self.stride) == 0, bytes < 1 << 40
        else {
            throw SystemError("map shared memory", number: EINVAL)
        }
        slots = (Int(bytes) - Self.wordBytes) / Self.stride
        (firstWord, start) = try Self.map(owned.number, slots)
        descriptor = -1
    }

    private static let stride = MemoryLayout<UInt32>.size

    private static func bytes(_ slots: Int) -> Int { wordBytes + slots * stride }

    private static func map(
        _ descriptor: Int32, _ slots: Int
    ) throws(SystemError) -> (words: UnsafeMutablePointer<UInt64>, slots: UnsafeMutablePointer<UInt32>) {
        guard let memory = clinux_map_shared(descriptor, bytes(slots)) else { throw SystemError("map shared memory") }
        return (
            memory.bindMemory(to: UInt64.self, capacity: words),
            (memory + wordBytes).bindMemory(to: UInt32.self, capacity: slots)
        )
    }

    deinit {
        munmap(firstWord, Self.bytes(slots))
        if descriptor >= 0 { close(descriptor) }
    }

    public subscript(slot: Int) -> UInt32 {
        get {
            precondition((0..<slots).contains(slot))
            return clinux_load_shared(start + slot)
        }
        set {
            precondition((0..<slots).contains(slot))
            clinux_store_shared(start + slot, newValue)
        }
    }

    public subscript(word index: Int) -> UInt64 {
        get {
            precondition((0..<Self.words).contains(index))
            return clinux_load_shared_word(firstWord + index)
        }
        set {
            precondition((0..<Self.words).contains(index))
            clinux_store_shared_word(firstWord + index, newValue)
        }
    }
}
