import Foundation
import Testing

extension EndToEnd {
    /// Threads that the server chooses, and nobody asked for, do no harm.
    @Suite struct DefaultThreadsTests {
        private static func video(_ encoder: String, _ members: [String: JSON] = [:]) -> JSON {
            let stream: [String: JSON] = ["type": "video", "frame_rate": 25, "width": 320, "height": 256, "encoder": .string(encoder)]
            return .object(stream.merging(members) { $1 })
        }

        /// Of these libx265 takes 16, and FFmpeg's own encoders of several pictures at once 64.
        @Test(arguments: ["libx264", "libx265", "png", "mjpeg", "ffvhuff", "mpeg4"])
        func moreThanAnEncoderTakesAreNoReasonToRefuse(encoder: String) async throws {
            try await withServer(["--default-threads", "256", "--max-threads", "256"]) { server in
                let id = try await server.createWriter(["format": "matroska", "open": true, "streams": [Self.video(encoder)]])
                try await server.sendChunk(Data(count: 320 * 256 * 3 * 5), to: id, stream: 0)
                #expect(try await server.finalize(id)["streams"].array.map { $0["frames_encoded"] } == [5])
            }
        }

        /// Its pictures have the rate that is asked for where each is encoded when the one before is done; and ffvhuff's
        /// tables go from one to the next.
        @Test(arguments: [("mjpeg", [:]), ("ffvhuff", ["encoder_option": ["context": 1]])] as [(String, [String: JSON])])
        func whatIsOnlyRightOneByOneIsDoneOneByOne(encoder: String, members: [String: JSON]) async throws {
            var files: [Data] = []
            for threads in ["1", "4"] {
                try await withServer(["--default-threads", threads, "--max-threads", "8"]) { server in
                    let stream = Self.video(encoder, members.merging(["codec_config": ["bit_rate": 1_000_000]]) { $1 })
                    let id = try await server.createWriter(["dst": "a.avi", "open": true, "streams": [stream]])
                    let shown = (0..<(320 * 256 * 3 * 24)).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0 / 7_001) }
                    try await server.sendChunk(Data(shown), to: id, stream: 0)
                    try await server.finalize(id)
                    files.append(try server.output("a.avi"))
                }
            }
            #expect(files.count == 2 && files.first == files.last && (files.first?.count ?? 0) > 10_000)
        }

        /// A thread has a stack of some MiB, and libraries that get none end badly.
        @Test func aSmallMemoryHasFewer() async throws {
            let memory = 128 << 20
            try await withServer(["--default-threads", "16", "--max-encoder-memory", "\(memory)"]) { server in
                for encoder in ["libx264", "libx265", "mjpeg", "mpeg4"] {
                    try await server.finalize(
                        server.createWriter(["format": "matroska", "open": true, "streams": [Self.video(encoder)]]))
                }
                for encoder in ["libx264", "libx265"] {
                    let asked = Self.video(encoder, ["encoder_option": ["threads": 16]])
                    let answer = try await server.curl(
                        "POST", "/v1/writers", body: .json(["format": "matroska", "open": true, "streams": [asked]]))
                    #expect(answer.status == 422 && answer.problem == "memory-limit", "\(answer.text)")
                    #expect(answer.json["detail"].string?.contains("16 threads") == true, "\(answer.text)")
                }
            }
        }

        /// Whatever starts the threads has the last word of what it could not start, and not of why.
        @Test(arguments: ["1", "4"])
        func anEncoderSaysWhyItDoesNotOpen(threads: String) async throws {
            try await withServer(["--default-threads", threads, "--max-threads", "8"]) { server in
                let answer = try await server.curl(
                    "POST", "/v1/writers", body: .json(["format": "mov", "open": true, "streams": [Self.video("dnxhd")]]))
                #expect(answer.status == 422)
                #expect(answer.json["detail"].string?.contains("incompatible with DNxHD") == true, "\(answer.text)")
            }
        }
    }
}
