import CLinux
import Glibc

/// Small numbers that two processes share, in memory without a name: one process writes a slot at a time,
/// and what it wrote last is there for the other when it has died.
public final class SharedMarks: @unchecked Sendable {
    // Unchecked: the memory is only read and written by atomic loads and stores of whole slots.
    public static let slots = 4_096
    private static let bytes = slots * MemoryLayout<UInt32>.size

    private let start: UnsafeMutablePointer<UInt32>
    /// To be passed to the other process, which needs it no longer than until it has them.
    public let descriptor: Int32

    /// Makes them, all 0.
    public init() throws(SystemError) {
        let made = clinux_make_shared_memory("marks", Self.bytes)
        if made < 0 { throw SystemError("make shared memory") }
        let owned = Descriptor(owning: made)
        start = try Self.map(made)
        descriptor = owned.take()
    }

    /// Takes those that another process made, and no less of them: a smaller piece would end this process
    /// when it is touched.
    public init(owning number: Int32) throws(SystemError) {
        let owned = Descriptor(owning: number)
        guard File.size(owned.number) == UInt64(Self.bytes) else { throw SystemError("map shared memory", number: EINVAL) }
        start = try Self.map(owned.number)
        descriptor = -1
    }

    private static func map(_ descriptor: Int32) throws(SystemError) -> UnsafeMutablePointer<UInt32> {
        guard let memory = clinux_map_shared(descriptor, bytes) else { throw SystemError("map shared memory") }
        return memory.bindMemory(to: UInt32.self, capacity: slots)
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
}
