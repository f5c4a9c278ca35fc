import Foundation
import Testing

extension EndToEnd {
    /// `GET …/output` before, while and after it is written.
    @Suite struct OutputTests {
        struct Format: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let format: String
            let encoder: String
            var option: JSON = [:]
            let isLive: Bool
            let mediaType: String
            let fileExtension: String
        }

        static let formats = [
            Format(testDescription: "adts", format: "adts", encoder: "aac", isLive: true, mediaType: "audio/aac", fileExtension: "aac"),
            Format(testDescription: "mpegts", format: "mpegts", encoder: "aac", isLive: true, mediaType: "video/MP2T", fileExtension: "ts"),
            Format(testDescription: "ogg", format: "ogg", encoder: "flac", isLive: true, mediaType: "audio/ogg", fileExtension: "ogg"),
            Format(
                testDescription: "flac without a header", format: "flac", encoder: "flac",
                option: ["write_header": false], isLive: true, mediaType: "audio/x-flac", fileExtension: "flac"),
            Format(
                testDescription: "fragmented mp4", format: "mp4", encoder: "aac",
                option: ["movflags": "empty_moov+default_base_moof", "frag_duration": 200_000], isLive: true,
                mediaType: "audio/mp4", fileExtension: "m4a"),
            Format(testDescription: "mp4", format: "mp4", encoder: "aac", isLive: false, mediaType: "audio/mp4", fileExtension: "m4a"),
            Format(testDescription: "wav", format: "wav", encoder: "pcm_s16le", isLive: false, mediaType: "audio/x-wav", fileExtension: "wav"),
        ]

        @Test(arguments: formats)
        func everyReaderGetsTheSameBytes(of format: Format) async throws {
            let clip = try await Clip.small()
            let samples = clip.samples(0..<96_000)
            try await withServer { server in
                var audio = clip.streams()[1]
                audio["encoder"] = .string(format.encoder)
                let id = try await server.createWriter(["format": .string(format.format), "streams": [audio]])
                let path = "/v1/writers/\(id)/output"
                let early = try RawConnection(port: server.port)
                try await early.send(RawConnection.head("GET", path))
                async let before = early.response()
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open", body: .json(["option": format.option]))
                try #require(opened.status == 200, "\(opened.text)")
                try await server.sendChunk(samples.prefix(samples.count / 2), to: id, stream: 0)
                let between = try RawConnection(port: server.port)
                try await between.send(RawConnection.head("GET", path))
                if format.isLive {
                    let head = try await between.head()
                    #expect(head.status == 200, "while it is written")
                    #expect(head["Penstock-Output"] == "live")
                    #expect(head["Content-Type"] == format.mediaType)
                    #expect(head["Content-Disposition"] == "attachment; filename=\"\(id).\(format.fileExtension)\"")
                    async let during = between.withBody(head, to: "GET")
                    try await finish(id, samples, on: server)
                    #expect(try await during.body == server.curl("GET", path).body)
                } else {
                    let head = try await server.curl("HEAD", path, options: ["--max-time", "10"])
                    #expect(head.status == 200, "what it will be is known before it is")
                    #expect(head["Penstock-Output"] == "after-finalize")
                    async let during = between.response()
                    try await finish(id, samples, on: server)
                    let response = try await during
                    #expect(response["Penstock-Output"] == "after-finalize")
                    #expect(try await response.body == server.curl("GET", path).body)
                }
                let after = try await server.curl("GET", path)
                #expect(try await before.body == after.body)
                #expect(after["Content-Length"].flatMap { Int($0) } == after.body.count)
                try await expectToPlay(after.body, format)
                try await expectRangesAndHead(of: path, after, id, format, on: server)
            }
        }

        private func finish(_ id: String, _ samples: Data, on server: PenstockServer) async throws {
            try await server.sendChunk(samples.suffix(samples.count / 2), to: id, stream: 0)
            try await server.finalize(id)
        }

        private func expectToPlay(_ bytes: Data, _ format: Format) async throws {
            let folder = try TemporaryFolder()
            let path = folder / ("output." + format.fileExtension)
            try bytes.write(to: URL(fileURLWithPath: path))
            try await Tool.ffmpeg("-v", "error", "-i", path, "-f", "s16le", folder / "samples")
            let size = try Data(contentsOf: URL(fileURLWithPath: folder / "samples")).count / 4
            #expect(abs(size - 96_000) <= 2_112, "two AAC frames at most")
        }

        private func expectRangesAndHead(
            of path: String, _ whole: Response, _ id: String, _ format: Format, on server: PenstockServer
        ) async throws {
            let head = try await server.curl("HEAD", path)
            #expect(head.status == 200)
            #expect(head["Content-Length"] == whole["Content-Length"])
            #expect(head["Content-Type"] == format.mediaType)
            #expect(head["Accept-Ranges"] == "bytes")
            #expect(head["Content-Disposition"] == "attachment; filename=\"\(id).\(format.fileExtension)\"")
            let size = whole.body.count
            for (range, wanted) in [("10-19", 10..<20), ("\(size - 5)-", size - 5..<size), ("-7", size - 7..<size)] {
                let part = try await server.curl("GET", path, headers: ["Range: bytes=\(range)"])
                #expect(part.status == 206)
                #expect(part.body == whole.body[wanted])
                #expect(part["Content-Range"] == "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(size)")
            }
            // Nothing tells this output from another that has had its place.
            let unless = try await server.curl("GET", path, headers: ["Range: bytes=10-19", "If-Range: \"other\""])
            #expect(unless.status == 200 && unless.body == whole.body)
            let outside = try await server.curl("GET", path, headers: ["Range: bytes=\(size)-"])
            #expect(outside.status == 416)
        }

        @Test func readerOfAWriterThatIsDeletedSeesTheCut() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let id = try await server.createWriter(["format": "adts", "streams": [clip.streams()[1]], "open": true])
                try await server.sendChunk(clip.samples(0..<96_000), to: id, stream: 0)
                let reader = try RawConnection(port: server.port)
                try await reader.send(RawConnection.head("GET", "/v1/writers/\(id)/output"))
                let head = try await reader.head()
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                await #expect(throws: HarnessError.self) { _ = try await reader.withBody(head, to: "GET") }
            }
        }

        @Test func fileIsFollowedUnderItsOwnName() async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "shows/late show.aac", "streams": [clip.streams()[1]], "open": true,
                ])
                let live = try await server.curl("HEAD", "/v1/writers/\(id)/output")
                #expect(live["Content-Disposition"] == "attachment; filename=\"late show.aac\"")
                try await server.sendChunk(clip.samples(0..<48_000), to: id, stream: 0)
                try await server.finalize(id)
                let closed = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(closed["Content-Disposition"] == "attachment; filename=\"late show.aac\"")
                #expect(try closed.body == server.output("shows/late show.aac"))
            }
        }
    }
}
