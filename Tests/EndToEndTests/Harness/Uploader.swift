import Foundation
import Testing

/// A client that sends the clip's frames chunk by chunk on one connection, and keeps its receipts.
actor Uploader {
    nonisolated let id: String
    private let server: PenstockServer
    private let clip: Clip
    private let connection: RawConnection
    /// Frames that receipts say were taken.
    private(set) var frames = 0
    /// How the connection ended, when it was not the upload that did.
    private(set) var cut: String?

    /// Makes the writer `id` with the clip's video stream, to be written to `id`.mp4.
    init(_ id: String, on server: PenstockServer, _ clip: Clip, quality: Int = 20) async throws {
        self.id = id
        self.server = server
        self.clip = clip
        connection = try RawConnection(port: server.port)
        let options: JSON = ["preset": "ultrafast", "crf": .string("\(quality)")]
        let created = try await connection.request(
            "PUT", "/v1/writers/\(id)",
            json: [
                "dst": .string("\(id).mp4"), "open": true, "streams": [clip.streams(["encoder_option": options])[0]],
            ])
        try #require(created.status == 201, "\(created.text)")
    }

    /// The process of the writer's encoder.
    func encoder() async throws -> pid_t { pid_t(try #require(await server.writer(id)["encoder_pid"].int)) }

    /// Uploads until `total` frames have receipts or the connection ends. The clip comes again and
    /// again.
    func run(to total: Int, by size: Int = 4) async {
        while frames < total && cut == nil {
            let start = frames % (Clip.frameCount - size)
            let count = min(size, total - frames)
            do {
                let receipt = try await connection.request(
                    "POST", "/v1/writers/\(id)/streams/0/chunks", body: clip.frames(start..<start + count))
                guard receipt.status == 200 else {
                    cut = "\(receipt.status) \(receipt.text)"
                    // What of it was taken is taken.
                    frames += receipt.json["frames"].int ?? 0
                    return
                }
                #expect(receipt.json["frames"].int == count)
                frames += count
            } catch {
                cut = "\(error)"
            }
        }
    }

    /// Sends the head of a chunk of `count` frames and `sent` of its bytes.
    func begin(_ count: Int, sending sent: Int) async throws {
        try await connection.send(
            RawConnection.head(
                "POST", "/v1/writers/\(id)/streams/0/chunks", contentLength: count * clip.bytesPerFrame))
        try await connection.send(clip.frames(0..<count).prefix(sent))
    }

    /// Sends the rest of such a chunk; its answer.
    func end(_ count: Int, after sent: Int) async throws -> Response {
        try await connection.send(clip.frames(0..<count).dropFirst(sent))
        return try await connection.response()
    }

    /// The answer to what was begun, whatever it is; nil when the connection ended without.
    func answer() async -> Response? { try? await connection.response() }

    /// Finalizes; the file's bytes.
    func finalize() async throws -> Data {
        let closed = try await connection.request("POST", "/v1/writers/\(id)/finalize")
        #expect(closed.json["state"] == "closed", "\(closed.text)")
        #expect(closed.json["streams"][0]["frames"].int == frames)
        return try server.output("\(id).mp4")
    }
}

/// How many video frames a file has, by decoding it.
func decodedFrames(_ path: String) async throws -> Int {
    let probe = try await Tool.ffprobe(path)
    return probe["streams"][0]["nb_read_frames"].string.flatMap { Int($0) } ?? 0
}
