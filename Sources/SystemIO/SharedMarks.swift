import CLinux
import Glibc

/// Small numbers that two processes share, in memory without a name: one process writes a slot at a time,
/// and what it wrote last is there for the other when it has died.
public final class SharedMarks: @unchecked Sendable {
    // Unchecked: the memory is only read and written by atomic loads and stores of whole slots.
    public let slots: Int

    private let start: UnsafeMutablePointer<UInt32>
    /// To be passed to the other process, which needs it no longer than until it has them.
    public let descriptor: Int32

    /// Makes them, all 0. Only pages that are written to take memory.
    public init(slots: Int) throws(SystemError) {
        let made = clinux_make_shared_memory("marks", slots * Self.stride)
        if made < 0 { throw SystemError("make shared memory") }
        let owned = Descriptor(owning: made)
        start = try Self.map(made, slots)
        self.slots = slots
        descriptor = owned.take()
    }

    /// Takes those that another process made, as many as it made.
    public init(owning number: Int32) throws(SystemError) {
        let owned = Descriptor(owning: number)
        guard let bytes = File.size(owned.number), bytes > 0, bytes % UInt64(Self.stride) == 0 else {
            throw SystemError("map shared memory", number: EINVAL)
        }
        slots = Int(bytes) / Self.stride
        start = try Self.map(owned.number, slots)
        descriptor = -1
    }

    private static let stride = MemoryLayout<UInt32>.size

    private static func map(_ descriptor: Int32, _ slots: Int) throws(SystemError) -> UnsafeMutablePointer<UInt32> {
        guard let memory = clinux_map_shared(descriptor, slots * stride) else { throw SystemError("map shared memory") }
        return memory.bindMemory(to: UInt32.self, capacity: slots)
    }

    deinit {
        munmap(start, slots * Self.stride)
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
}
