import CLinux

/// The process's own heap.
public enum Heap {
    /// Gives free pages back to the system.
    public static func trim() { clinux_trim_heap() }
}
