import Glibc

/// malloc and its kin as a shared library calls them. (What a test calls by name is the program's.)
enum Library {
    static let malloc = call("malloc", as: (@convention(c) (Int) -> UnsafeMutableRawPointer?).self)
    static let calloc = call("calloc", as: (@convention(c) (Int, Int) -> UnsafeMutableRawPointer?).self)
    static let realloc = call(
        "realloc", as: (@convention(c) (UnsafeMutableRawPointer?, Int) -> UnsafeMutableRawPointer?).self)
    static let free = call("free", as: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self)
    static let memalign = call("memalign", as: (@convention(c) (Int, Int) -> UnsafeMutableRawPointer?).self)
    static let posixMemalign = call(
        "posix_memalign", as: (@convention(c) (UnsafeMutablePointer<UnsafeMutableRawPointer?>, Int, Int) -> Int32).self)

    private static func call<F>(_ name: String, as type: F.Type) -> F { unsafeBitCast(dlsym(nil, name)!, to: type) }
}

/// What /proc says about this process's memory.
enum Mappings {
    struct Mapping {
        let range: Range<UInt>
        let permissions: Substring
    }

    static var all: [Mapping] {
        text("/proc/self/maps").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return Mapping(range: ends[0]..<ends[1], permissions: words[1])
        }
    }

    static func permissions(at address: UInt) -> Substring? { all.first { $0.range.contains(address) }?.permissions }

    private static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(file, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UnsafeMutableRawPointer {
    func isZero(_ bytes: Int) -> Bool { UnsafeRawBufferPointer(start: self, count: bytes).allSatisfy { $0 == 0 } }
    func fill(_ bytes: Int, _ value: Int32 = 0xA5) { memset(self, value, bytes) }
    var address: UInt { UInt(bitPattern: self) }
}
