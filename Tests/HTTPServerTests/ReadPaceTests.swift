import HTTPServer
import Testing
import Threading

@Suite struct ReadPaceTests {
    /// 32,000 bytes a second and 200 ms: seven eighths of 6,400 bytes.
    private static let pace = ReadPace(bytesPerSecond: 32_000, latency: .milliseconds(200))

    @Test func theFirstByteIsAwaitedAloneAndThenWhatComesInTime() {
        var pace = Self.pace
        #expect(pace.bytesToAwait == nil)
        let soonest = Deadline.after(.milliseconds(100))
        pace.read(640, filled: false)
        #expect(pace.begin(with: 640) == 5_600 - 640)
        #expect(pace.bytesToAwait == 5_600)
        #expect(pace.due > soonest && pace.due <= .after(.milliseconds(200)))
    }

    @Test func aSourceWhosePiecesFillTheTimeIsAwaitedPieceByPiece() {
        var pace = ReadPace(bytesPerSecond: 32_000, latency: .milliseconds(20))
        pace.read(640, filled: false)
        #expect(pace.begin(with: 640) == nil)
        #expect(pace.bytesToAwait == nil)
    }

    @Test func aSourceThatStopsIsNotLookedForAgainAndAgain() {
        var pace = Self.pace
        pace.read(640, filled: false)
        _ = pace.begin(with: 640)
        pace.read(0, filled: false)
        #expect(pace.bytesToAwait == nil)
    }

    @Test func theFramingOfSmallPiecesIsWaitedForToo() {
        var pace = Self.pace
        // A byte as "1\r\nx\r\n".
        for _ in 0..<3 {
            pace.read(6_000, filled: false)
            pace.took(1_000)
        }
        #expect(pace.enough == 6 * 5_600)
        // A chunk with extensions of any length is no reason to wait for more than there may be.
        pace.read(1_000_000, filled: false)
        pace.took(1)
        #expect(pace.enough == 8 * 5_600)
    }

    @Test func whatIsThereAlreadyIsReadFirst() {
        var pace = Self.pace
        pace.read(16_384, filled: true)
        #expect(pace.mayHaveMore)
        pace.read(0, filled: false)
        #expect(!pace.mayHaveMore)
    }

    @Test func noMoreIsAwaitedThanTheKernelHolds() {
        let pace = ReadPace(bytesPerSecond: 186_624_000, latency: .seconds(10))
        #expect(pace.enough == 512 * 1_024)
        #expect(ReadPace(bytesPerSecond: 1, latency: .milliseconds(1)).enough == 1)
    }
}
