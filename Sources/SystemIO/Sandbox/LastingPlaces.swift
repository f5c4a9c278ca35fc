import CLinux
import Glibc
import Synchronization

/// Places of the system that stay what they are as long as it runs, found once in the process that forks: a fork that
/// confines itself names them by descriptors that it has, instead of looking for each of them again. Such a descriptor
/// (O_PATH) says where a place is and carries no right to it; what is reached through one is held against the sandbox
/// like any other name.
enum LastingPlaces {
    struct Found: Sendable {
        let descriptor: Int32
        let isFolder: Bool
    }

    private static let found = Mutex<[String: Found]>([:])

    /// Finds those that are there. In a process with one thread; they stay open in it and its forks.
    static func find(_ paths: [String]) {
        for path in paths where self[path] == nil {
            let number = clinux_open(path, Int32(clinux_path_only) | O_CLOEXEC, 0)
            var information = stat()
            guard number >= 0, fstat(number, &information) == 0 else { continue }
            let place = Found(descriptor: number, isFolder: information.st_mode & S_IFMT == S_IFDIR)
            found.withLock { $0[path] = place }
        }
    }

    static subscript(_ path: String) -> Found? { found.withLock { $0[path] } }

    static var descriptors: [Int32] { found.withLock { $0.values.map(\.descriptor) } }

    /// For a process that makes no further ruleset: nobody finds them open in it.
    static func closeAll() {
        let open = found.withLock { found in
            defer { found = [:] }
            return found.values.map(\.descriptor).sorted()
        }
        // They were opened one after the other: mostly one call.
        var rest = open[...]
        while let first = rest.first {
            let length = zip(rest, first...).prefix { $0 == $1 }.count
            if clinux_close_range(UInt32(first), UInt32(first) + UInt32(length - 1)) < 0 { for number in rest.prefix(length) { close(number) } }
            rest = rest.dropFirst(length)
        }
    }
}
