import Foundation
import StreamWriter
import Testing

@Suite struct MemoryTests {
    /// 1080p raw video, then the same again: the second half needs no more than the first.
    @Test func memoryStaysFlatWhateverIsSent() throws {
        let destination = Destination.file(descriptor: open("/dev/null", O_WRONLY | O_CLOEXEC), name: "a.yuv")
        let writer = try StreamWriter(destination: destination, format: "rawvideo")
        _ = try writer.addStream(
            .video(VideoStreamConfig(frameRate: Rational(30, 1)!, width: 1920, height: 1080, format: "yuv444p")))
        try writer.open()
        let frameBytes = writer.description(of: 0).inputFrameBytes
        func send(_ frames: Int) throws {
            let chunk = try writer.beginChunk(stream: 0, pts: nil)
            _ = try chunk.fill(upTo: frames * frameBytes) { regions in
                memset(regions[0].baseAddress!, 7, regions[0].count)
                return regions[0].count
            }
            #expect(try chunk.finish().frames == Int64(frames))
        }
        try send(30)
        let before = residentBytes()
        try send(300)
        // Far less than the 300 frames, with room for the tests beside this one.
        #expect(residentBytes() - before < 40 * frameBytes)
        #expect(try writer.close().bytesWritten == 330 * frameBytes)
    }

    private func residentBytes() -> Int {
        let pages = try! String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return Int(pages)! * sysconf(Int32(_SC_PAGESIZE))
    }
}
