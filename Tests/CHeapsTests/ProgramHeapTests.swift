import CHeaps
import Glibc
import Testing

/// The heap of the program's own: one test at a time, as they look at it as a whole.
@Suite(.serialized) struct ProgramHeapTests {
    /// About each size that is treated differently.
    static let sizes = (0...40).map { $0 * 16 + 1 } + [0, 1_024, 4_095, 4_096, 32_768, 32_769, 65_536, 200_000, 262_144, 262_145, 3_000_000]

    @Test func blocksAreTheProgramsAndZeroAlsoWhenUsedAgain() throws {
        #expect(cheaps_is_in_place())
        for _ in 0..<3 {
            for size in Self.sizes {
                let blocks = try (0..<3).map { _ in try #require(malloc(size)) } + [try #require(calloc(size, 1))]
                for block in blocks {
                    #expect(cheaps_is_programs(block))
                    #expect(block.address % 16 == 0)
                    #expect(block.isZero(size), "\(size)")
                    #expect(malloc_usable_size(block) >= size)
                    block.fill(malloc_usable_size(block))
                }
                for block in blocks { free(block) }
            }
        }
    }

    @Test func blocksAreAlignedAsAsked() throws {
        for shift in 3...22 {
            for size in [1, 100, 5_000, 70_000] {
                var block: UnsafeMutableRawPointer?
                #expect(posix_memalign(&block, 1 << shift, size) == 0)
                let aligned = try #require(block)
                #expect(aligned.address % (1 << UInt(shift)) == 0)
                #expect(cheaps_is_programs(aligned) && aligned.isZero(size))
                aligned.fill(size)
                free(aligned)
            }
        }
        var block: UnsafeMutableRawPointer?
        #expect(posix_memalign(&block, 24, 8) == EINVAL)
        #expect(posix_memalign(&block, 4, 8) == EINVAL)
    }

    @Test func resizingKeepsWhatFits() throws {
        var block = try #require(malloc(10))
        for (index, size) in [20, 5_000, 33_000, 500_000, 40_000, 300, 8].enumerated() {
            block.fill(8, Int32(index + 1))
            block = try #require(realloc(block, size))
            #expect(UnsafeRawBufferPointer(start: block, count: 8).allSatisfy { $0 == UInt8(index + 1) })
        }
        free(block)
        let copy = try #require(strdup("a text that is copied"))
        #expect(cheaps_is_programs(copy) && String(cString: copy) == "a text that is copied")
        free(copy)
    }

    @Test func whatWasFreedIsNowhere() throws {
        let canary = Array("tok-9f1c7be2".utf8)
        var blocks: [UnsafeMutableRawPointer] = []
        for size in Self.sizes where size >= 16 {
            let block = try #require(malloc(size))
            for offset in stride(from: 0, to: size - 12, by: 12) { (block + offset).copyMemory(from: canary, byteCount: 12) }
            blocks.append(block)
        }
        #expect(occurrences(of: canary) > 1_000)
        for block in blocks { free(block) }
        #expect(occurrences(of: canary) == 0)
    }

    @Test func nothingButBlocksCanBeRead() throws {
        let extent = cheaps_program_extent()
        let start = UInt(bitPattern: extent.start)
        let end = start + UInt(extent.reserved)
        #expect(Mappings.permissions(at: end - 1) == "---p")
        let table = try #require(Mappings.all.first { $0.range.contains(start) })
        #expect(Mappings.permissions(at: table.range.upperBound) == "---p")
        for size in [40_000, 65_536, 100_000, 1_000_000] {
            let block = try #require(malloc(size))
            #expect(Mappings.permissions(at: block.address + UInt(size) - 1) == "rw-p")
            #expect(Mappings.permissions(at: block.address + UInt(malloc_usable_size(block))) == "---p", "\(size)")
            free(block)
        }
    }

    @Test func memoryComesBack() throws {
        let before = cheaps_program_extent().accessible
        for _ in 0..<3 {
            let small = (0..<20_000).map { malloc(100 + $0 % 900)! }
            let large = (0..<50).map { malloc(100_000 + $0 * 10_000)! }
            #expect(cheaps_program_extent().accessible > before + 20 << 20)
            for block in small + large { free(block) }
        }
        // A span for each size, and the large ones that are kept for the next.
        #expect(cheaps_program_extent().accessible < before + 4 << 20)
    }

    @Test func whatCanNotBeHadIsNil() {
        for size in [Int.max, 1 << 60, 17 << 30] {
            errno = 0
            #expect(malloc(size) == nil)
            #expect(errno == ENOMEM)
        }
        #expect(calloc(1 << 40, 1 << 40) == nil)
        #expect(realloc(nil, Int.max) == nil)
    }

    @Test func threadsShareItAndLeaveNothingBehind() throws {
        func round() {
            let threads = (0..<8).map { Worker(seed: UInt32($0)) }
            for thread in threads { thread.join() }
            #expect(threads.allSatisfy { $0.faults == 0 })
        }
        round()
        let before = cheaps_program_extent().accessible
        for _ in 0..<20 { round() }
        #expect(cheaps_program_extent().accessible < before + 2 << 20)
    }

    /// In what of the heap can be read. (`canary` itself is the Swift library's, which is a library here.)
    private func occurrences(of canary: [UInt8]) -> Int {
        let extent = cheaps_program_extent()
        let heap = UInt(bitPattern: extent.start)..<UInt(bitPattern: extent.start) + UInt(extent.reserved)
        return Mappings.all.filter { heap.overlaps($0.range) && $0.permissions == "rw-p" }.reduce(0) { sum, mapping in
            var count = 0
            var next = UnsafeRawPointer(bitPattern: mapping.range.lowerBound)!
            let last = UnsafeRawPointer(bitPattern: mapping.range.upperBound)! - canary.count
            while next <= last, let found = memchr(next, Int32(canary[0]), last - next + 1) {
                if memcmp(found, canary, canary.count) == 0 { count += 1 }
                next = UnsafeRawPointer(found) + 1
            }
            return sum + count
        }
    }
}

/// Takes blocks of all sizes, writes to them, and sees that nobody else did.
private final class Worker: @unchecked Sendable {
    // Unchecked: read once it has ended.
    private(set) var faults = 0
    private var thread = pthread_t()
    private var random: UInt32

    init(seed: UInt32) {
        random = seed &* 2_654_435_761 &+ 1
        let me = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Worker>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, me.toOpaque())
    }

    func join() { pthread_join(thread, nil) }

    private func next(_ bound: Int) -> Int {
        random = random &* 1_664_525 &+ 1_013_904_223
        return Int(random >> 8) % bound
    }

    private func work() {
        var blocks: [(block: UnsafeMutableRawPointer, size: Int)?] = Array(repeating: nil, count: 200)
        for _ in 0..<20_000 {
            let index = next(blocks.count)
            let value = Int32(index % 255 + 1)
            if let (block, size) = blocks[index] {
                if !UnsafeRawBufferPointer(start: block, count: size).allSatisfy({ $0 == UInt8(value) }) { faults += 1 }
                free(block)
                blocks[index] = nil
            } else {
                let size = 1 + (next(100) == 0 ? next(100_000) : next(10) == 0 ? next(5_000) : next(300))
                let block = malloc(size)!
                if !block.isZero(size) { faults += 1 }
                block.fill(size, value)
                blocks[index] = (block, size)
            }
        }
        for case let (block, _)? in blocks { free(block) }
    }
}
