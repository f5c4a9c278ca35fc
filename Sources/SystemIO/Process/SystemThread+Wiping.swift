import CLinux
import Threading

extension SystemThread {
    /// Overwrites what calls that have returned left on this thread's stack (tokens, parts of a head):
    /// what is called next may read its own variables before it has written them.
    public static func wipeStack() { clinux_wipe_stack() }
}
