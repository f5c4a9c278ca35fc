import Foundation

/// What a file of /proc holds. `String(contentsOfFile:)` and `FileManager.contents(atPath:)` take what the kernel gives
/// at a time, a page, for all.
func wholeFile(_ path: String) throws -> Data {
    try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data()
}

/// The same, of a file of text.
func wholeText(_ path: String) throws -> String { String(decoding: try wholeFile(path), as: UTF8.self) }

/// The memory of another process of this user's, read by way of /proc.
struct ProcessMemory {
    private struct Mapping {
        let range: Range<UInt64>
        let permissions: Substring
    }

    private let memory: FileHandle
    private let mappings: [Mapping]
    /// Where the heap of the program's own lies (CHeaps): 16 GiB that begin at a multiple of that, most of
    /// which nobody ever took. nil: the process has none.
    private let programHeap: Range<UInt64>?

    init(of pid: pid_t) throws {
        memory = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(pid)/mem"))
        mappings = try wholeText("/proc/\(pid)/maps").split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 2)
            let ends = words[0].split(separator: "-").map { UInt64($0, radix: 16)! }
            return Mapping(range: ends[0]..<ends[1], permissions: words[1])
        }
        let size: UInt64 = 16 << 30
        let rest = mappings.first { $0.permissions == "---p" && $0.range.count > size / 2 }
        programHeap = rest.map { $0.range.lowerBound / size * size }.map { $0..<($0 + size) }
    }

    /// How often `text` is in what was ever written: within the program's heap, and where else.
    func occurrences(of text: String) -> (inProgramHeap: Int, elsewhere: [String]) {
        var found = (inProgramHeap: 0, elsewhere: [String]())
        for mapping in mappings where mapping.permissions.hasPrefix("rw") {
            for address in addresses(of: text, in: mapping) {
                if programHeap?.contains(address) == true {
                    found.inProgramHeap += 1
                } else {
                    found.elsewhere.append(String(address, radix: 16))
                }
            }
        }
        return found
    }

    private func addresses(of text: String, in mapping: Mapping) -> [UInt64] {
        // Some that devices map can't be read.
        guard (try? memory.seek(toOffset: mapping.range.lowerBound)) != nil,
            let bytes = try? memory.read(upToCount: mapping.range.count)
        else { return [] }
        var addresses: [UInt64] = []
        var start = bytes.startIndex
        while let range = bytes.range(of: Data(text.utf8), in: start..<bytes.endIndex) {
            addresses.append(mapping.range.lowerBound + UInt64(range.lowerBound - bytes.startIndex))
            start = range.upperBound
        }
        return addresses
    }
}
