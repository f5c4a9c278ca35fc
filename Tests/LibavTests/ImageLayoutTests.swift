import Glibc
import Testing

import Libav

@Suite struct ImageLayoutTests {
    @Test func tightLayoutHasNoGaps() throws {
        let layout = try ImageLayout(
            format: PixelFormat(name: "yuv420p")!, width: 35, height: 27, packing: .tight)
        #expect(layout.isTight)
        #expect(layout.imageBytes == 35 * 27 + 2 * 18 * 14)
        #expect(layout.planes.map(\.rowBytes) == [35, 18, 18])
        #expect(layout.planes.map(\.rows) == [27, 14, 14])
    }

    @Test func alignedRowsStartOn64BytesUnlessTheyFitAlready() throws {
        let rgb = PixelFormat(name: "rgb24")!
        #expect(try ImageLayout(format: rgb, width: 33, height: 2, packing: .aligned).planes[0].stride == 128)
        #expect(try ImageLayout(format: rgb, width: 32, height: 2, packing: .aligned).planes[0].stride == 96)
    }

    /// Filters of fields and encoders of blocks read rows that a small picture does not have.
    @Test(arguments: [(1, 1), (3, 2), (17, 1), (64, 2), (640, 360), (16_384, 2)])
    func rowsBeyondAPictureAreThereAndZero(width: Int, height: Int) throws {
        for name in ["gray", "rgb24", "yuv420p", "yuva444p16le"] {
            let layout = try ImageLayout(format: PixelFormat(name: name)!, width: width, height: height, packing: .aligned)
            let pool = try FramePool(layout: layout)
            let last = try #require(layout.planes.last)
            let end = last.offset + last.stride * last.rows
            #expect(layout.bufferBytes >= end + 16 * last.stride)
            for _ in 0..<3 {
                let frame = try pool.take()
                let start = try #require(frame.plane(0)) - layout.planes[0].offset
                #expect(UnsafeRawBufferPointer(start: start + end, count: layout.bufferBytes - end).allSatisfy { $0 == 0 })
                memset(start, 0xA5, end)
            }
        }
    }
}
