import Foundation
import Testing

extension EndToEnd {
    /// What lies outside the folder of `dst` is neither written nor removed, whatever links there are.
    @Suite struct DestinationTests {
        /// A server beside a folder with one file, which must stay as it is.
        private func withCanary(
            _ options: [String] = [], _ body: (PenstockServer, _ outside: String) async throws -> Void
        ) async throws {
            try await withServer(options) { server in
                let outside = server.folder / "outside"
                try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
                try Data("canary".utf8).write(to: URL(fileURLWithPath: outside + "/canary"))
                try await body(server, outside)
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["canary"])
                #expect(FileManager.default.contents(atPath: outside + "/canary") == Data("canary".utf8))
            }
        }

        private func link(_ path: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        }

        /// Creates, opens, sends and finalizes, as far as that goes: the first answer that is none of 2xx.
        private func refusal(
            _ server: PenstockServer, _ description: JSON, pictures: Pictures = Pictures(60)
        ) async throws -> Response? {
            let created = try await server.curl("POST", "/v1/writers", body: .json(description))
            guard created.status == 201, let id = created.json["id"].string else { return created }
            let chunk = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(pictures.data))
            guard chunk.status == 200 else { return chunk }
            let closed = try await server.curl("POST", "/v1/writers/\(id)/finalize")
            return closed.status == 200 ? nil : closed
        }

        private static func writer(_ dst: String, _ option: JSON = [:], overwrite: Bool = false) -> JSON {
            [
                "dst": .string(dst), "overwrite": .bool(overwrite), "streams": [Pictures.stream(gop: 20)],
                "open": ["option": option],
            ]
        }

        @Test(arguments: ["out/a.mkv", "out/sub/a.mkv", "up/outside/a.mkv", "out/a.m3u8", "out/sub/a.m3u8", "up/a%03d.png"])
        func folderThatIsALinkOutwardIsNoDestination(dst: String) async throws {
            try await withCanary { server, outside in
                try link(server.outputFolder + "/out", to: outside)
                try link(server.outputFolder + "/up", to: "..")
                for overwrite in [false, true] {
                    let answer = try #require(try await refusal(server, Self.writer(dst, overwrite: overwrite)))
                    #expect(answer.status == 403, "\(answer.text)")
                    #expect(answer.problem == "forbidden-destination")
                }
            }
        }

        @Test(arguments: ["a.mkv", "live.m3u8"])
        func linkInPlaceOfAFileIsReplacedAndNotFollowed(dst: String) async throws {
            try await withCanary { server, outside in
                let place = server.outputFolder + "/" + dst
                try link(place, to: outside + "/canary")
                let kept = try #require(try await refusal(server, Self.writer(dst)))
                #expect(kept.status == 409, "\(kept.text)")
                #expect(kept.problem == "destination-exists")
                #expect(try await refusal(server, Self.writer(dst, overwrite: true)) == nil)
                #expect(try FileManager.default.attributesOfItem(atPath: place)[.type] as? FileAttributeType == .typeRegular)
            }
        }

        @Test(arguments: ["a.mkv", "live.m3u8"])
        func folderInPlaceOfAFileIsOneRefusal(dst: String) async throws {
            try await withServer { server in
                try FileManager.default.createDirectory(atPath: server.outputFolder + "/" + dst, withIntermediateDirectories: true)
                for overwrite in [false, true] {
                    let answer = try #require(try await refusal(server, Self.writer(dst, overwrite: overwrite)))
                    #expect(answer.status == 422, "\(answer.text)")
                    #expect(answer.problem == "invalid-parameter" && answer.json["parameter"] == "dst")
                    #expect(answer.json["detail"].string?.contains("is a folder") == true)
                }
                try Data().write(to: URL(fileURLWithPath: server.outputFolder + "/file"))
                for overwrite in [false, true] {
                    let answer = try #require(try await refusal(server, Self.writer("file/" + dst, overwrite: overwrite)))
                    #expect(answer.status == 422, "\(answer.text)")
                }
                // Made between the creation and the opening.
                let id = try await server.createWriter(["dst": "late.mkv", "overwrite": true, "streams": [Pictures.stream(gop: 20)]])
                try FileManager.default.createDirectory(atPath: server.outputFolder + "/late.mkv", withIntermediateDirectories: true)
                let opened = try await server.curl("POST", "/v1/writers/\(id)/open")
                #expect(opened.status == 422, "\(opened.text)")
                #expect(opened.json["detail"].string?.contains("is a folder") == true)
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder).sorted() == [dst, "file", "late.mkv"].sorted())
            }
        }

        /// An encoder was killed while its writer was made.
        @Test(arguments: [false, true])
        func unfinishedOutputOfTheSameIdIsInNobodysWay(overwrite: Bool) async throws {
            try await withServer { server in
                try Data("left".utf8).write(to: URL(fileURLWithPath: server.outputFolder + "/.penstock-a.new"))
                let body = Self.writer("a.mkv", overwrite: overwrite)
                let created = try await server.curl("PUT", "/v1/writers/a", body: .json(body))
                #expect(created.status == 201, "\(created.text)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: server.outputFolder) == ["a.mkv"])
            }
        }

        @Test(arguments: ["live1.ts", "live.m3u8.tmp"])
        func linkInPlaceOfAFileOfTheMuxersIsReplacedAndNotFollowed(name: String) async throws {
            try await withCanary { server, outside in
                try link(server.outputFolder + "/" + name, to: outside + "/canary")
                let kept = try #require(try await refusal(server, Self.writer("live.m3u8", ["hls_time": "0.8"])))
                #expect(kept.status == 409, "\(kept.text)")
                #expect(kept.json["detail"].string?.contains(name) == true)
                #expect(try await refusal(server, Self.writer("live.m3u8", ["hls_time": "0.8"], overwrite: true)) == nil)
            }
        }

        @Test func segmentsOfAnotherWriterAreLeftAlone() async throws {
            let pictures = Pictures(60)
            try await withServer { server in
                let option: JSON = ["hls_time": "0.8", "hls_list_size": 0, "hls_segment_filename": "show/part%d.ts"]
                #expect(try await refusal(server, Self.writer("show/first.m3u8", option), pictures: pictures) == nil)
                let first = try server.output("show/part0.ts")
                let answer = try #require(try await refusal(server, Self.writer("show/second.m3u8", option)))
                #expect(answer.status == 409, "\(answer.text)")
                #expect(answer.problem == "destination-exists")
                #expect(answer.json["detail"].string?.contains("show/part0.ts") == true)
                #expect(try server.output("show/part0.ts") == first)
                let played = try await Pictures.decoded(server.outputFolder + "/show/first.m3u8")
                #expect(played == pictures.frames)
            }
        }

        @Test func oldSegmentsAreRemoved() async throws {
            try await withServer { server in
                let option: JSON = ["hls_time": "0.8", "hls_list_size": 1, "hls_flags": "delete_segments", "hls_delete_threshold": 1]
                #expect(try await refusal(server, Self.writer("b/live.m3u8", option)) == nil)
                let left = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/b").sorted()
                #expect(left == ["live.m3u8", "live1.ts", "live2.ts"])
            }
        }

        @Test(arguments: [
            ("/OUTSIDE/s%d.ts", 403), ("../outside/s%d.ts", 403), ("show/../../outside/s%d.ts", 403), ("show/../other/s%d.ts", 403),
            ("file:show/s%d.ts", 403), ("file:/OUTSIDE/s%d.ts", 403), ("concat:show/s%d.ts", 403), ("subfile,,start,0,end,9,,:show/s%d.ts", 403),
            ("data:,s%d.ts", 403), ("unix:/OUTSIDE/s%d", 403), ("pipe:%d", 403), ("fd:%d", 403), ("crypto:/OUTSIDE/s%d.ts", 403),
            ("tee:show/a%d|show/b", 403), ("udp://127.0.0.1:9/%d", 403),
        ])
        func segmentsNameNothingElse(name: String, status: Int) async throws {
            try await withCanary { server, outside in
                let name = name.replacingOccurrences(of: "/OUTSIDE", with: outside)
                let answer = try #require(
                    try await refusal(server, Self.writer("show/live.m3u8", ["hls_time": "0.8", "hls_segment_filename": .string(name)])))
                #expect(answer.status == status, "\(answer.text)")
                let others = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder).filter { $0 != "show" }
                #expect(others == [])
            }
        }

        struct Layout: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let dst: String
            var format: JSON = .null
            var option: JSON = [:]
            let files: [String]
        }

        /// Ways of muxers to open, rename and make what they need.
        static let layouts = [
            Layout(
                testDescription: "hls encrypts", dst: "x/live.m3u8",
                option: ["hls_time": "0.8", "hls_enc": 1, "hls_enc_key": "0123456789abcdef"],
                files: ["x/live.m3u8", "x/live.m3u8.key", "x/live0.ts", "x/live1.ts", "x/live2.ts"]),
            Layout(
                testDescription: "hls makes a folder for each variant", dst: "x/v%v/live.m3u8",
                option: ["var_stream_map": "v:0", "hls_segment_filename": "x/v%v/s%d.ts"], files: ["x/v0/live.m3u8", "x/v0/s0.ts"]),
            Layout(
                testDescription: "hls renames segments", dst: "x/live.m3u8", option: ["hls_flags": "temp_file"],
                files: ["x/live.m3u8", "x/live0.ts"]),
            Layout(
                testDescription: "hls writes one file", dst: "x/live.m3u8", option: ["hls_flags": "single_file", "hls_time": "0.8"],
                files: ["x/live.m3u8", "x/live.ts"]),
            Layout(
                testDescription: "segment goes back in mp4", dst: "x/s%d.mp4", format: "segment",
                option: ["segment_time": "0.8", "segment_format_options": "movflags=faststart"],
                files: ["x/s0.mp4", "x/s1.mp4", "x/s2.mp4"]),
            Layout(
                testDescription: "hls puts segments into a folder that is not there", dst: "x/live.m3u8",
                option: ["hls_time": "0.8", "hls_segment_filename": "x/a/b/s%d.ts"],
                files: ["x/a/b/s0.ts", "x/a/b/s1.ts", "x/a/b/s2.ts", "x/live.m3u8"]),
            Layout(
                testDescription: "segment puts its list there", dst: "x/s%d.mkv", format: "segment",
                option: ["segment_time": "0.8", "segment_list": "x/lists/list.csv"],
                files: ["x/lists/list.csv", "x/s0.mkv", "x/s1.mkv", "x/s2.mkv"]),
            Layout(
                testDescription: "dash puts segments there", dst: "x/live.mpd",
                option: ["seg_duration": "0.8", "init_seg_name": "sub/init.m4s", "media_seg_name": "sub/$Number$.m4s"],
                files: ["x/live.mpd", "x/sub/1.m4s", "x/sub/2.m4s", "x/sub/3.m4s", "x/sub/init.m4s"]),
            Layout(
                testDescription: "hls puts what it names itself there", dst: "x/live.m3u8",
                option: [
                    "hls_time": "0.8", "hls_segment_type": "fmp4", "hls_fmp4_init_filename": "sub/init.mp4",
                    "master_pl_name": "master.m3u8",
                ],
                files: ["x/live.m3u8", "x/live0.m4s", "x/live1.m4s", "x/live2.m4s", "x/master.m3u8", "x/sub/init.mp4"]),
        ]

        @Test(arguments: layouts)
        func everyFileOfAMuxersIsKnownAndGoesWithDelete(_ layout: Layout) async throws {
            try await withServer { server in
                var stream = Pictures.stream(gop: 20)
                stream["codec_config"] = ["gop_size": 20, "bit_rate": 100_000]
                stream["encoder_option"] = ["preset": "ultrafast", "tune": "zerolatency"]
                let id = try await server.createWriter([
                    "dst": .string(layout.dst), "format": layout.format, "streams": [stream], "open": ["option": layout.option],
                ])
                try await server.sendChunk(Pictures(60).data, to: id, stream: 0)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.compactMap(\.string) == layout.files)
                #expect(try filesBelow(server.outputFolder) == layout.files)
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
                #expect(try filesBelow(server.outputFolder) == [])
            }
        }

        private func filesBelow(_ path: String) throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder) && !isFolder.boolValue
            }.sorted()
        }

        /// The folder becomes a link outward and back all the while segments are written, renamed and
        /// removed in it: to the muxer it stays what it was.
        @Test func folderSwappedForALinkWhileSegmentsAreWrittenLeadsNowhere() async throws {
            try await withCanary { server, outside in
                let id = try await server.createWriter(
                    Self.writer("show/live.m3u8", ["hls_time": "0.04", "hls_list_size": 3, "hls_flags": "delete_segments+temp_file"]))
                let swapper = Swapper(server.outputFolder + "/show", outside)
                let pictures = Pictures(60)
                for _ in 0..<20 { try await server.sendChunk(pictures.data, to: id, stream: 0) }
                let swaps = await swapper.stop()
                #expect(swaps > 100)
                let closed = try await server.finalize(id)
                #expect(closed["result"]["files"].array.contains("show/live.m3u8"))
            }
        }

        /// The same of a folder that the muxer's names lead through. A writer that meets the link fails.
        @Test func folderSwappedForALinkInTheMiddleOfANameLeadsNowhere() async throws {
            try await withCanary { server, outside in
                let sub = server.outputFolder + "/show/sub"
                try FileManager.default.createDirectory(atPath: sub, withIntermediateDirectories: true)
                let swapper = Swapper(sub, outside)
                let option: JSON = [
                    "hls_time": "0.04", "hls_flags": "delete_segments+temp_file", "hls_segment_filename": "show/sub/s%d.ts",
                ]
                var refused = 0
                var tries = 0
                // Whether a try meets the link is chance: the more the machine is slowed down, the less likely.
                while tries < 15 || refused == 0 && tries < 300 {
                    tries += 1
                    if let answer = try await refusal(server, Self.writer("show/live.m3u8", option, overwrite: true)) {
                        // 409: what is left of the one before is met where it could not be removed, behind the link.
                        #expect([403, 409, 502].contains(answer.status), "\(answer.text)")
                        refused += 1
                    }
                }
                let swaps = await swapper.stop()
                #expect(swaps > 100)
                #expect(refused > 0, "the link was never met")
            }
        }

        /// Puts a link in a folder's place and the folder back, again and again.
        private final class Swapper: @unchecked Sendable {  // `isRunning` and `swaps` are guarded by `lock`.
            private let lock = NSLock()
            private var isRunning = true
            private var swaps = 0
            private let ended = DispatchSemaphore(value: 0)

            init(_ folder: String, _ outside: String) {
                Thread.detachNewThread { [self] in
                    while lock.withLock({ isRunning }) {
                        rename(folder, folder + "-away")
                        symlink(outside, folder)
                        // Every other link stays long enough to be met on a slow machine as well.
                        if lock.withLock({ swaps }) % 2 == 0 { usleep(500) }
                        unlink(folder)
                        rename(folder + "-away", folder)
                        lock.withLock { swaps += 1 }
                    }
                    ended.signal()
                }
            }

            func stop() async -> Int {
                lock.withLock { isRunning = false }
                return await onThread { [self] in
                    ended.wait()
                    return lock.withLock { swaps }
                }
            }
        }
    }
}
