import Foundation
import Libav
import Testing

@Suite struct PacketSharingTests {
    @Test func referenceSharesBytesAndHasTimesOfItsOwn() throws {
        let packet = try #require(EncodedClip.video("mpeg4", "yuv420p").packets.first)
        let before = try packet.recordBytes
        let copy = try packet.reference()
        #expect(try copy.recordBytes == before)
        func start(_ packet: Packet) -> UnsafeRawPointer? { packet.withBodyPieces { $0.last?.baseAddress } }
        #expect(start(copy) == start(packet))
        copy.pts = 1000
        copy.dts = nil
        copy.stream = 3
        #expect(try packet.recordBytes == before)
    }

    @Test func keyFramesAreTold() throws {
        let clip = try EncodedClip.video("mpeg4", "yuv420p", gopSize: 5)
        #expect(clip.packets.indices.filter { clip.packets[$0].isKey } == [0, 5, 10])
        #expect(try clip.throughBytes().packets.map(\.isKey) == clip.packets.map(\.isKey))
    }

    @Test func packetIsAsItWasAfterItWasWritten() throws {
        let clip = try EncodedClip.video("libx264", "yuv420p", options: ["preset": "ultrafast", "bf": "2"])
        let before = try clip.packets.map { try $0.recordBytes }
        let first = try clip.muxed("flv")
        #expect(try clip.packets.map { try $0.recordBytes } == before)
        _ = try clip.muxed("mp4")
        #expect(try clip.muxed("flv") == first)
        #expect(try clip.packets.map { try $0.recordBytes } == before)
    }

    @Test func packetOfAStreamThatIsNotThereIsRefused() throws {
        let clip = try EncodedClip.video("mpeg4", "yuv420p")
        clip.packets[0].stream = 1
        let error = #expect(throws: LibavError.self) { try clip.muxed("matroska") }
        #expect(error?.doing.contains("stream 1") == true)
    }
}
