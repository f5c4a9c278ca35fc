import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Muxers of many files, to a server of HTTP.
    @Suite struct HTTPFilesTests {
        private static let allowed = ["--allow-output", "http://127.0.0.1:*/*"]

        private func request(_ url: String, format: String, option: JSON) -> JSON {
            ["dst": .string(url), "format": .string(format), "streams": [Pictures.stream(gop: 25)], "open": ["option": option]]
        }

        /// Two seconds of pictures; what ended it.
        private func write(_ request: JSON, seconds: Int = 4, on server: PenstockServer) async throws -> Response {
            let made = try await server.curl("POST", "/v1/writers", body: .json(request))
            guard made.status == 201, let id = made.json["id"].string else { return made }
            let sent = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Pictures(25 * seconds).data))
            return sent.status == 200 ? try await server.curl("POST", "/v1/writers/\(id)/finalize") : sent
        }

        private static func file(_ request: ScriptedServer.Request) -> String { request.path.split(separator: "/").last.map(String.init) ?? "" }

        private static let cases: [(format: String, name: String, option: JSON, playlists: [String])] = [
            ("hls", "live.m3u8", ["hls_time": 1, "hls_list_size": 0], ["live.m3u8"]),
            ("hls", "live.m3u8", ["hls_time": 1, "hls_list_size": 0, "master_pl_name": "master.m3u8"], ["live.m3u8", "master.m3u8"]),
            ("hls", "live.m3u8", ["hls_time": 1, "hls_list_size": 0, "hls_segment_type": "fmp4"], ["live.m3u8"]),
            ("dash", "live.mpd", ["seg_duration": 1], ["live.mpd"]),
        ]

        @Test(arguments: cases.indices)
        func eachFileIsOneRequestOfKnownLengthAndComesBeforeThePlaylistThatNamesIt(index: Int) async throws {
            let (format, file, option, playlists) = Self.cases[index]
            let folder = try TemporaryFolder(), peer = try ScriptedServer(["--save", folder.path]), name = String.unique()
            try await withServer(Self.allowed) { server in
                let ended = try await write(request("\(peer.origin)/\(name)/files/\(file)", format: format, option: option), on: server)
                #expect(ended.json["state"] == "closed", "\(ended.text)")
                let came = try peer.requests(name)
                #expect(came.allSatisfy { $0.method == "PUT" && $0.whole && $0.headers["content-length"] == "\($0.bytes)" })
                var there: Set<String> = []
                for request in came {
                    let own = Self.file(request)
                    if own == "live.m3u8" {
                        // Those that it names, and no other, by the copy that is there in the end.
                        #expect(!there.isEmpty, "a playlist comes before its segments")
                    }
                    if !playlists.contains(own) { there.insert(own) }
                }
                let last = came.last.map(Self.file)
                #expect(last.map(playlists.contains) == true, "the last is \(last ?? "none")")
                #expect(Set(came.map { $0.headers["content-type"] ?? "" }).count >= 2)
                #expect(try await Pictures.decoded("\(folder / name)/\(file)", options: ["-allowed_extensions", "ALL"].filter { _ in format == "hls" }) == Pictures(100).frames)
            }
        }

        /// hls opens it twice at the beginning, and writes by one of both.
        @Test(arguments: ["mpegts", "fmp4"])
        func singleFileIsSentOnceAndIsWhole(segments: String) async throws {
            let folder = try TemporaryFolder(), peer = try ScriptedServer(["--save", folder.path]), name = String.unique()
            let option: JSON = ["hls_time": 1, "hls_list_size": 0, "hls_flags": "single_file", "hls_segment_type": .string(segments)]
            try await withServer(Self.allowed) { server in
                let ended = try await write(request("\(peer.origin)/\(name)/files/live.m3u8", format: "hls", option: option), on: server)
                #expect(ended.json["state"] == "closed", "\(ended.text)")
                let file = segments == "fmp4" ? "live.m4s" : "live.ts"
                let came = try peer.requests(name).filter { Self.file($0) == file }
                #expect(came.count == 1 && (came.first?.bytes ?? 0) > 10_000, "\(came.map { "\($0.method) \($0.bytes)" })")
                let local = try await write(request("\(name)/live.m3u8", format: "hls", option: option), on: server)
                #expect(local.json["state"] == "closed", "\(local.text)")
                #expect(came.first?.sha256 == HTTPUploadTests.sha256(try server.output("\(name)/\(file)")))
                #expect(try await Pictures.decoded("\(folder / name)/live.m3u8") == Pictures(100).frames)
            }
        }

        @Test(arguments: ["hls", "dash"])
        func oneRefusedSegmentOfManyFailsTheWriter(format: String) async throws {
            let peer = try ScriptedServer(), name = String.unique()
            let file = format == "hls" ? "live.m3u8" : "live.mpd", segment = format == "hls" ? "live1.ts" : "chunk-stream0-00002.m4s"
            let option: JSON = format == "hls" ? ["hls_time": 1] : ["seg_duration": 1]
            try await withServer(Self.allowed) { server in
                let ended = try await write(
                    request("\(peer.origin)/\(name)/files;\(segment)=403@end;Say=no_room/\(file)".replacingOccurrences(of: ";Say=no_room", with: ""), format: format, option: option), on: server)
                #expect(ended.status == 502 && ended.json["detail"].string?.contains("403") == true, "\(ended.text)")
                let came = try peer.requests(name).map(Self.file)
                #expect(came.contains(segment))
                let after = came.drop { $0 != segment }.dropFirst()
                #expect(after.isEmpty, "\(after) came after what was refused")
            }
        }

        @Test func segmentThatIsRefusedForAMomentIsSentAgain() async throws {
            let folder = try TemporaryFolder(), peer = try ScriptedServer(["--save", folder.path]), name = String.unique()
            try await withServer(Self.allowed) { server in
                let url = "\(peer.origin)/\(name)/files;live1.ts=503@end,cut@100,200@end;live.m3u8=429@head,200@end/live.m3u8"
                let ended = try await write(request(url, format: "hls", option: ["hls_time": 1, "hls_list_size": 0]), on: server)
                #expect(ended.json["state"] == "closed", "\(ended.text)")
                #expect(try await Pictures.decoded("\(folder / name)/live.m3u8") == Pictures(100).frames)
            }
        }

        @Test(arguments: ["hls", "dash"])
        func oldSegmentsAreDeletedWhenTheMuxerDeletesThem(format: String) async throws {
            let folder = try TemporaryFolder(), peer = try ScriptedServer(["--save", folder.path]), name = String.unique()
            let option: JSON = format == "hls"
                ? ["hls_time": 1, "hls_list_size": 2, "hls_flags": "delete_segments", "hls_delete_threshold": 1]
                : ["seg_duration": 1, "window_size": 2, "extra_window_size": 1]
            try await withServer(Self.allowed) { server in
                let ended = try await write(
                    request("\(peer.origin)/\(name)/files/live.\(format == "hls" ? "m3u8" : "mpd")", format: format, option: option), seconds: 8, on: server)
                #expect(ended.json["state"] == "closed", "\(ended.text)")
                let came = try peer.requests(name), deleted = came.filter { $0.method == "DELETE" }
                #expect(deleted.count >= 3, "\(came.map { "\($0.method) \(Self.file($0))" })")
                let left = try FileManager.default.contentsOfDirectory(atPath: folder / name)
                #expect(Set(left).isDisjoint(with: deleted.map(Self.file)))
            }
        }

        @Test func deletionThatIsRefusedFailsTheWriter() async throws {
            let peer = try ScriptedServer(), name = String.unique()
            try await withServer(Self.allowed) { server in
                let option: JSON = ["hls_time": 1, "hls_list_size": 1, "hls_flags": "delete_segments", "hls_delete_threshold": 1]
                let ended = try await write(
                    request("\(peer.origin)/\(name)/files;live0.ts=200@end,405@end/live.m3u8", format: "hls", option: option), seconds: 6, on: server)
                #expect(ended.status == 502 && ended.json["detail"].string?.contains("DELETE") == true && ended.json["detail"].string?.contains("405") == true, "\(ended.text)")
            }
        }

        @Test func optionsForEachFileAreHonoured() async throws {
            let peer = try ScriptedServer()
            try await withServer(Self.allowed) { server in
                for (format, file, option) in [
                    ("hls", "live.m3u8", ["headers": "X-Key: k\r\n", "http_user_agent": "mine/1", "method": "POST", "hls_time": 1] as JSON),
                    ("dash", "live.mpd", ["http_opts": "headers='X-Key: k':user_agent=mine/1", "method": "POST", "seg_duration": 1]),
                    ("segment", "s%d.ts", ["headers": "X-Key: k", "user_agent": "mine/1", "method": "POST", "segment_time": 1]),
                ] {
                    let name = String.unique()
                    let ended = try await write(request("\(peer.origin)/\(name)/files/\(file)", format: format, option: option), on: server)
                    #expect(ended.json["state"] == "closed", "\(format): \(ended.text)")
                    let came = try peer.requests(name)
                    #expect(came.count > 2 && came.allSatisfy { $0.method == "POST" && $0.headers["x-key"] == "k" && $0.headers["user-agent"] == "mine/1" }, "\(format): \(came)")
                }
            }
        }
    }
}
