import CLinux
import Glibc

/// Small numbers that two processes share, in memory without a name: one process writes a slot at a time,
/// and what it wrote last is there for the other when it has died.
public final class SharedMarks: @unchecked Sendable {
    // Unchecked: the memory is only read and written by atomic loads and stores of whole slots and words.
    public static let slots = 4_096
    /// Beside the slots, of 64 bits each.
    public static let words = 4_096
    private static let slotBytes = slots * MemoryLayout<UInt32>.size
    private static let bytes = slotBytes + words * MemoryLayout<UInt64>.size

    private let start: UnsafeMutablePointer<UInt32>
    private let firstWord: UnsafeMutablePointer<UInt64>
    /// To be passed to the other process, which needs it no longer than until it has them.
    public let descriptor: Int32

    /// Makes them, all 0.
    public init() throws(SystemError) {
        let made = clinux_make_shared_memory("marks", Self.bytes)
        if made < 0 { throw SystemError("make shared memory") }
        let owned = Descriptor(owning: made)
        (start, firstWord) = try Self.map(made)
        descriptor = owned.take()
    }

    /// Takes those that another process made, and no less of them: a smaller piece would end this process
    /// when it is touched.
    public init(owning number: Int32) throws(SystemError) {
        let owned = Descriptor(owning: number)
        guard File.size(owned.number) == UInt64(Self.bytes) else { throw SystemError("map shared memory", number: EINVAL) }
        (start, firstWord) = try Self.map(owned.number)
        descriptor = -1
    }

    private static func map(
        _ descriptor: Int32
    ) throws(SystemError) -> (slots: UnsafeMutablePointer<UInt32>, words: UnsafeMutablePointer<UInt64>) {
        guard let memory = clinux_map_shared(descriptor, bytes) else { throw SystemError("map shared memory") }
        return (
            memory.bindMemory(to: UInt32.self, capacity: slots),
            (memory + slotBytes).bindMemory(to: UInt64.self, capacity: words)
        )
    }

    deinit {
        munmap(start, Self.bytes)
        if descriptor >= 0 { close(descriptor) }
    }

    public subscript(slot: Int) -> UInt32 {
        get {
            precondition((0..<Self.slots).contains(slot))
            return clinux_load_shared(start + slot)
        }
        set {
            precondition((0..<Self.slots).contains(slot))
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
