import StreamWriter
import Testing

@Suite struct KeyFrameRequestTests {
    /// Pictures 1 to `count` go in at times 10, 20, …, key frames asked for before some; then `outputs` come
    /// out: which of these are key frames, counted from 0.
    private func keyFrames(_ asked: Set<Int>, of count: Int, outputs: [(number: Int, pts: Int64)]) -> [Int] {
        var requests = KeyFrameRequests()
        for picture in 1...count {
            if asked.contains(picture) { requests.askForNext() }
            #expect(requests.enter(pts: Int64(picture * 10)) == Int64(picture))
        }
        return outputs.indices.filter { requests.leave(number: Int64(outputs[$0].number), pts: outputs[$0].pts) }
    }

    @Test func theAskedPicturesAreTheKeyFrames() {
        #expect(keyFrames([2, 4], of: 5, outputs: (1...5).map { ($0, Int64($0 * 10)) }) == [1, 3])
        #expect(keyFrames([], of: 3, outputs: (1...3).map { ($0, Int64($0 * 10)) }) == [])
    }

    @Test func ofAPictureThatIsDoubledTheFirstIsAKeyFrame() {
        #expect(keyFrames([2], of: 3, outputs: [(1, 10), (1, 15), (2, 20), (2, 25), (3, 30)]) == [2])
    }

    @Test func whereAPictureIsDroppedTheNextIsAKeyFrame() {
        #expect(keyFrames([2, 3], of: 5, outputs: [(1, 10), (4, 40), (5, 50)]) == [1])
    }

    @Test func timesThatFiltersBendDoNotMatterWhileNumbersAreThere() {
        #expect(keyFrames([3], of: 4, outputs: [(1, 20), (2, 40), (3, 60), (4, 80)]) == [2])
        #expect(keyFrames([3], of: 4, outputs: [(1, 1), (2, 2), (3, 3), (4, 4)]) == [2])
    }

    @Test func timesTellWhereNumbersAreLost() {
        #expect(keyFrames([2, 4], of: 5, outputs: [(0, 10), (0, 19), (0, 21), (0, 30), (0, 40)]) == [2, 4])
        #expect(keyFrames([2], of: 2, outputs: [(0, .min), (0, 20)]) == [1])
    }

    @Test func requestsThatNeverComeOutDoNotGather() {
        var requests = KeyFrameRequests()
        for picture in 1...5_000 {
            requests.askForNext()
            _ = requests.enter(pts: Int64(picture))
        }
        // The first, those that still wait one by one, and the last for what is over the bound.
        #expect((1...5_000).filter { requests.leave(number: Int64($0), pts: Int64($0)) } == Array(1...1_023) + [5_000])
    }
}
