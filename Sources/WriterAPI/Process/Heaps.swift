import CHeaps
import SystemIO

/// The two heaps of a process: what Swift allocates (heads, tokens, JSON) lies in one, what libav and
/// all other libraries allocate in the other (CHeaps).
package enum Heaps {
    /// Whether the linker did as Package.swift says.
    package static var areApart: Bool {
        guard librariesCallOurs, cheaps_is_in_place() else { return false }
        // Of Swift's runtime, which is to be a part of the program.
        return cheaps_is_programs(Unmanaged.passUnretained(Witness()).toOpaque())
    }

    package static var librariesCallOurs: Bool {
        ["malloc", "calloc", "realloc", "free", "posix_memalign", "memalign", "aligned_alloc"]
            .allSatisfy(DynamicSymbol.isOurs)
    }

    private final class Witness {}
}
