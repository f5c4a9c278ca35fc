import Foundation
import StreamWriter
import Testing

/// Frames that come faster than a live destination takes them.
@Suite struct WhenLateTests {
    let folder = TemporaryFolder()
    private static let frameBytes = 320 * 240 * 3

    /// A peer that has a connection and reads nothing until it is told to.
    private final class Peer: @unchecked Sendable {
        // Unchecked: a descriptor that does not change.
        private let listener: Int32
        let port: UInt16

        init() throws {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var size: Int32 = 65_536
            setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, 4)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let listener = self.listener
            port = try withUnsafeMutablePointer(to: &address) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    try #require(bind(listener, pointer, length) == 0 && listen(listener, 1) == 0 && getsockname(listener, pointer, &length) == 0)
                }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }

        deinit { close(listener) }

        /// Reads all there is, to its end.
        func read(into path: String) {
            let connection = accept(listener, nil, nil)
            defer { close(connection) }
            let file = open(path, O_WRONLY | O_CREAT, 0o600)
            defer { close(file) }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = Glibc.read(connection, &buffer, buffer.count)
                if count <= 0 { return }
                _ = Glibc.write(file, buffer, count)
            }
        }
    }

    private func config(_ whenLate: WhenLate) -> StreamConfig {
        .video(
            VideoStreamConfig(frameRate: Rational(25, 1)!, width: 320, height: 240, encoder: "rawvideo", whenLate: whenLate))
    }

    @Test func aClientIsNotHeldBackByAPeerThatTakesNothing() async throws {
        let peer = try Peer()
        let writer = try StreamWriter(destination: .url("tcp://127.0.0.1:\(peer.port)?send_buffer_size=65536"), format: "nut")
        _ = try writer.addStream(config(.drop))
        try writer.open()
        let count = 120
        let data = pictures(count: count, bytesPerFrame: Self.frameBytes)
        // 27 MB, of which sockets hold few. With `wait` this would not come back.
        let receipt = try await onThread { Result { try writer.send(data, piece: 100_000) } }.get()
        #expect(receipt.frames == Int64(count) && receipt.offset == Int64(data.count))
        #expect(receipt.framesDroppedLate > 60 && receipt.framesDroppedLate < Int64(count))
        let path = folder.path("a.nut")
        async let read: Void = onThread { peer.read(into: path) }
        // There is room again once the peer reads.
        let chunk = try writer.beginChunk(stream: 0, pts: nil)
        var sent = count
        while true {
            let dropped = writer.progress(of: 0).framesDroppedLate
            try data.prefix(Self.frameBytes).withUnsafeBytes { try chunk.write($0) }
            sent += 1
            if writer.progress(of: 0).framesDroppedLate == dropped { break }
            // As a camera does.
            try await Task.sleep(for: .milliseconds(5))
        }
        _ = try chunk.finish()
        let summary = try await onThread { Result { try writer.close() } }.get()
        await read
        #expect(summary.streams[0].warnings.map(\.code) == [.lateDropped])
        let times = try probeList(path, "packet", "pts_time").compactMap(Double.init)
        let left = Int64(sent) - writer.progress(of: 0).framesDroppedLate
        #expect(times.count == Int(left))
        // Time has gone on over what was left out, and the picture after it is where it was sent for.
        #expect(abs((times.last ?? 0) - Double(sent - 1) / 25) < 0.001)
    }

    @Test func aFileIsWaitedFor() throws {
        let writer = try StreamWriter(destination: folder.destination("a.nut"), format: nil)
        _ = try writer.addStream(config(.drop))
        try writer.open()
        let receipt = try writer.send(pictures(count: 60, bytesPerFrame: Self.frameBytes))
        #expect(receipt.framesDroppedLate == 0 && receipt.framesEncoded == 60)
        #expect(try writer.close().streams[0].warnings.isEmpty)
        #expect(try decodeVideo(folder.path("a.nut"), format: "rgb24") == pictures(count: 60, bytesPerFrame: Self.frameBytes))
    }
}
