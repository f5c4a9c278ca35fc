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
}
