import CHeaps
import Glibc
import Testing

/// The heap of shared libraries.
@Suite struct LibraryHeapTests {
    static let sizes = [1, 8, 24, 63, 64, 100, 511, 512, 1_000, 1_032, 1_033, 5_000, 64_000, 131_072, 200_000, 3_110_400]

    @Test(arguments: sizes) func blocksAreZeroAlsoWhenUsedAgain(size: Int) throws {
        for _ in 0..<20 {
            let blocks = [Library.malloc(size), Library.calloc(1, size), Library.memalign(64, size)]
            for block in blocks {
                let block = try #require(block)
                #expect(!cheaps_is_programs(block))
                #expect(block.isZero(size))
                block.fill(size)
            }
            for block in blocks { Library.free(block) }
        }
    }

    /// What libav calls media begin in blocks of posix_memalign; a picture of one row is as large as a row.
    @Test(arguments: sizes) func rowsBehindMediaAreZero(size: Int) throws {
        let beyond = size < 64 ? 16 : min(max(size, 1_024), 131_072)
        for round in 0..<20 {
            var media: [UnsafeMutableRawPointer] = []
            for _ in 0..<4 {
                var block: UnsafeMutableRawPointer?
                #expect(Library.posixMemalign(&block, 64, size) == 0)
                media.append(try #require(block))
            }
            for block in media {
                #expect(block.address % 64 == 0)
                block.fill(size)
            }
            for block in media { #expect((block + size).isZero(beyond), "in round \(round)") }
            for block in media { Library.free(block) }
        }
    }

    @Test func whatAResizedBlockGainsIsZero() throws {
        var block = try #require(Library.malloc(16))
        var size = 16
        block.fill(size)
        for next in [40, 600, 560, 2_000, 90_000, 400_000, 380_000, 2_000_000, 5_000, 70, 900] {
            block = try #require(Library.realloc(block, next))
            let kept = min(size, next)
            #expect(UnsafeRawBufferPointer(start: block, count: kept).allSatisfy { $0 == 0xA5 })
            #expect((block + kept).isZero(next - kept), "\(size) → \(next)")
            if next >= 512 { #expect((block + next).isZero(64), "\(size) → \(next)") }
            block.fill(next)
            size = next
        }
        Library.free(block)
    }

    @Test func eachMayFreeAndResizeWhatTheOtherAllocated() throws {
        for size in [10, 3_000, 50_000, 500_000] {
            let ours = try #require(malloc(size))
            #expect(cheaps_is_programs(ours))
            let resized = try #require(Library.realloc(ours, size * 2))
            #expect(cheaps_is_programs(resized))
            Library.free(resized)
            let theirs = try #require(Library.malloc(size))
            #expect(!cheaps_is_programs(theirs))
            free(realloc(theirs, size * 2))
        }
        let path = try #require(realpath("/", nil))
        #expect(!cheaps_is_programs(path))
        free(path)
        var line: UnsafeMutablePointer<CChar>? = .allocate(capacity: 1)
        var capacity = 1
        let file = try #require(fopen("/proc/self/status", "r"))
        defer { fclose(file) }
        #expect(getline(&line, &capacity, file) > 1)
        free(line)
    }

    @Test func whatCanNotBeHadIsNil() {
        #expect(Library.malloc(Int.max) == nil)
        #expect(Library.calloc(1 << 40, 1 << 40) == nil)
        var block: UnsafeMutableRawPointer?
        #expect(Library.posixMemalign(&block, 64, Int.max) == ENOMEM)
        #expect(Library.posixMemalign(&block, 3, 8) == EINVAL)
    }
}
