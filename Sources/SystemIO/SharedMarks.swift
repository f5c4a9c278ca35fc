import CLinux
import Glibc

/// Small numbers that two processes share, in memory without a name: one process writes a slot at a time,
/// and what it wrote last is there for the other when it has died.
public final class SharedMarks: @unchecked Sendable {
    // Unchecked: the memory is only read and written by atomic loads and stores of whole slots.
    public static let slots = 4_096
    private static let bytes = slots * MemoryLayout<UInt32>.size

    private let start: UnsafeMutablePointer<UInt32>
    /// For the other process; its own, which may be closed once that has it.
    public let descriptor: Descriptor

    /// Makes them, all 0.
    public init() throws(SystemError) {
        let number = clinux_make_shared_memory("marks", Self.bytes)
        if number < 0 { throw SystemError("make shared memory") }
        descriptor = Descriptor(owning: number)
        guard let memory = clinux_map_shared(number, Self.bytes) else { throw SystemError("map shared memory") }
        start = memory.bindMemory(to: UInt32.self, capacity: Self.slots)
    }

    /// Takes those that another process made, and no less of them: a smaller piece would end this process
    /// when it is touched.
    public init(owning number: Int32) throws(SystemError) {
        descriptor = Descriptor(owning: number)
        guard File.size(number) == UInt64(Self.bytes), let memory = clinux_map_shared(number, Self.bytes) else {
            throw SystemError("map shared memory")
        }
        start = memory.bindMemory(to: UInt32.self, capacity: Self.slots)
    }

    deinit { munmap(start, Self.bytes) }

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
