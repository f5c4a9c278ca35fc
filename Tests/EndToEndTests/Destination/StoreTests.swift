import Foundation
import Testing
import ToolSessions

extension EndToEnd {
    /// Outputs that are objects in a store of the operator's, against a real S3 server behind a proxy that makes trouble.
    @Suite(.enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
    struct StoreTests {
        private static let sound: JSON = ["type": "audio", "sample_rate": 48_000, "num_channels": 2, "format": "s16"]

        private static func environment(_ session: S3Session, name: String = "ARCHIVE", prefix: String = "") -> [String: String] {
            let fields = [
                "ENDPOINT": session.endpoint, "BUCKET": session.bucket, "ACCESS_KEY": session.accessKey, "SECRET_KEY": session.secretKey, "PREFIX": prefix,
            ]
            return Dictionary(uniqueKeysWithValues: fields.map { ("PENSTOCK_STORE_\(name)_\($0.key)", $0.value) })
        }

        private func write(_ chunk: Data, _ request: JSON, on server: PenstockServer, token: String? = nil) async throws -> Response {
            let headers = token.map { ["Authorization: Bearer \($0)"] } ?? []
            let made = try await server.curl("POST", "/v1/writers", headers: headers, body: .json(request))
            guard made.status == 201, let id = made.json["id"].string else { return made }
            let sent = try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", headers: headers, body: .bytes(chunk))
            return sent.status == 200 ? try await server.curl("POST", "/v1/writers/\(id)/finalize", headers: headers) : sent
        }

        private func video(_ dst: String, format: String? = nil, option: JSON = [:], _ more: JSON = [:]) -> JSON {
            let format: JSON = format.map { .string($0) } ?? .null
            let request: JSON = ["dst": .string(dst), "format": format, "streams": [Pictures.stream(gop: 25)], "open": ["option": option]]
            return request.merging(more)
        }

        /// Ten megabytes and more, as nut takes it: several parts.
        private static func large(_ dst: String) -> JSON {
            ["dst": .string(dst), "format": "nut", "streams": [sound.merging(["encoder": "pcm_s16le"])], "open": true]
        }
        private static let largeSound = Data((0..<24_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) })

        @Test(arguments: ["moto", "localbucket"])
        func objectIsTheFileThatTheSameStreamMakes(kind: String) async throws {
            let session = try S3Session(kind), pictures = Pictures(100)
            try await withServer(environment: Self.environment(session, prefix: "pen/")) { server in
                for (name, option) in [("a.ts", [:] as JSON), ("a b+é.mp4", [:]), ("f.mp4", ["movflags": "frag_keyframe+empty_moov"]), ("a.wav", [:])] {
                    let isSound = name.hasSuffix("wav")
                    let request: (String) -> JSON = {
                        isSound ? ["dst": .string($0), "streams": [Self.sound], "open": true] : video($0, option: option)
                    }
                    let chunk = isSound ? Self.largeSound.prefix(1_000_000) : pictures.data
                    let ended = try await write(chunk, request("s3://archive/show/\(name)"), on: server)
                    #expect(ended.status == 200, "\(name): \(ended.text)")
                    #expect(ended.json["dst"] == .string("s3://archive/show/\(name)"))
                    let same = try await write(chunk, request("show/\(name)"), on: server)
                    try #require(same.status == 200, "\(same.text)")
                    let found = try session.object("pen/show/\(name)")
                    #expect(found.sha256 == HTTPUploadTests.sha256(try server.output("show/\(name)")), "\(name): \(found)")
                    #expect(try session.uploads("pen/show/\(name)") == .none)
                }
            }
        }

        @Test func networkThatCutsChangesNoObjectAndLeavesNoParts() async throws {
            let session = try S3Session(), pictures = Pictures(100)
            try await withServer(environment: Self.environment(session)) { server in
                for seed in 1...4 {
                    try session.trouble(seed: 0, rate: 0, "none")
                    let large = Self.large("s3://archive/large\(seed).nut"), small = video("s3://archive/small\(seed).mp4")
                    try session.trouble(seed: seed, rate: 0.3, "cut,cutback,lost,500,slowdown,badend")
                    for (chunk, request) in [(Self.largeSound, large), (pictures.data, small)] {
                        let ended = try await write(chunk, request, on: server)
                        #expect(ended.status == 200, "seed \(seed): \(ended.text)")
                    }
                    try session.trouble(seed: 0, rate: 0, "none")
                    let same = try await write(Self.largeSound, Self.large("large\(seed).nut"), on: server)
                    try #require(same.status == 200, "\(same.text)")
                    #expect(try session.object("large\(seed).nut").sha256 == HTTPUploadTests.sha256(try server.output("large\(seed).nut")), "seed \(seed)")
                    #expect(try session.object("small\(seed).mp4").sha256 != nil)
                    #expect(try session.uploads("large\(seed).nut") == .none && session.uploads("small\(seed).mp4") == .none)
                }
            }
        }

        @Test func fieldsAreTheObjectsAndEachFileHasItsType() async throws {
            let session = try S3Session()
            try await withServer(environment: Self.environment(session)) { server in
                let fields: JSON = [
                    "content_type": "video/x-mine", "cache_control": "max-age=60", "storage_class": "STANDARD_IA", "object_metadata": ["Title": "A b", "take": 7],
                ]
                let ended = try await write(Pictures(10).data, video("s3://archive/a.mp4", fields), on: server)
                #expect(ended.status == 200, "\(ended.text)")
                let found = try session.object("a.mp4")
                #expect(found.ContentType == "video/x-mine" && found.CacheControl == "max-age=60" && found.StorageClass == "STANDARD_IA")
                #expect(found.Metadata == ["title": "A b", "take": "7"])
                let many = try await write(
                    Pictures(75).data, ["outputs": [["name": "hls", "dst": "s3://archive/h/live.m3u8", "option": ["hls_time": 1], "cache_control": "no-cache"]],
                        "streams": [Pictures.stream(gop: 25)], "open": true], on: server)
                #expect(many.status == 200, "\(many.text)")
                #expect(many.json["outputs"][0]["dst"] == "s3://archive/h/live.m3u8")
                #expect(try session.object("h/live.m3u8").ContentType == "application/vnd.apple.mpegurl")
                #expect(try session.object("h/live0.ts").ContentType == "video/mp2t")
                #expect(try session.object("h/live0.ts").CacheControl == "no-cache")
            }
        }

        @Test(arguments: ["hls", "dash"])
        func playlistsNameObjectsThatAreThereAndOldOnesAreDeleted(format: String) async throws {
            let session = try S3Session("localbucket")
            let option: JSON = format == "hls"
                ? ["hls_time": 1, "hls_list_size": 2, "hls_flags": "delete_segments", "hls_delete_threshold": 1, "hls_segment_filename": "s3://archive/live/part%d.ts"]
                : ["seg_duration": 1, "window_size": 2, "extra_window_size": 1]
            try await withServer(environment: Self.environment(session)) { server in
                let ended = try await write(Pictures(200).data, video("s3://archive/live/live.\(format == "hls" ? "m3u8" : "mpd")", format: format, option: option), on: server)
                #expect(ended.status == 200, "\(ended.text)")
                let segment = { (index: Int) in format == "hls" ? "live/part\(index).ts" : "live/chunk-stream0-0000\(index + 1).m4s" }
                #expect(try session.object(segment(0)).missing != nil && session.object(segment(1)).missing != nil)
                #expect(try session.object(segment(6)).sha256 != nil && session.object(segment(7)).sha256 != nil)
            }
        }

        @Test(arguments: ["mpegts", "fmp4"])
        func renditionsAreVariantsBesideTheirMasterPlaylist(segments: String) async throws {
            let session = try S3Session()
            let rendition: JSON = ["encoder": "libx264", "encoder_option": ["preset": "ultrafast"], "codec_config": ["gop_size": 25]]
            let stream: JSON = [
                "type": "video", "frame_rate": 25, "width": 64, "height": 48, "format": "yuv420p",
                "renditions": [rendition.merging(["name": "hd"]), rendition.merging(["name": "sd", "encoder_width": 32, "encoder_height": 24])],
            ]
            let request: (String) -> JSON = { dst in
                let option: JSON = ["hls_time": 1, "hls_list_size": 0, "hls_segment_type": .string(segments)]
                return ["outputs": [["name": "abr", "dst": .string(dst), "option": option]], "streams": [stream], "open": true]
            }
            try await withServer(environment: Self.environment(session)) { server in
                let ended = try await write(Pictures(75).data, request("s3://archive/abr/m.m3u8"), on: server)
                #expect(ended.status == 200, "\(ended.text)")
                let same = try await write(Pictures(75).data, request("abr/m.m3u8"), on: server)
                try #require(same.status == 200, "\(same.text)")
                let files = try FileManager.default.contentsOfDirectory(atPath: server.outputFolder + "/abr")
                let ending = segments == "fmp4" ? "m4s" : "ts"
                #expect(Set(files).isSuperset(of: ["m.m3u8", "m_hd.m3u8", "m_sd.m3u8", "m_hd2.\(ending)", "m_sd2.\(ending)"]), "\(files)")
                for file in files {
                    #expect(try session.object("abr/\(file)").sha256 == HTTPUploadTests.sha256(try server.output("abr/\(file)")), "\(file)")
                }
            }
        }

        @Test func singleFileOfHLSIsWhole() async throws {
            let session = try S3Session(), option: JSON = ["hls_time": 1, "hls_list_size": 0, "hls_flags": "single_file"]
            try await withServer(environment: Self.environment(session)) { server in
                for dst in ["s3://archive/one/live.m3u8", "one/live.m3u8"] {
                    let ended = try await write(Pictures(100).data, video(dst, option: option), on: server)
                    #expect(ended.status == 200, "\(ended.text)")
                }
                for file in ["live.ts", "live.m3u8"] {
                    #expect(try session.object("one/\(file)").sha256 == HTTPUploadTests.sha256(try server.output("one/\(file)")), "\(file)")
                }
            }
        }

        @Test func objectThatGrowsBeyondTheBoundOfAFileIsNotMade() async throws {
            let session = try S3Session()
            try await withServer(["--max-output-bytes", "9000000"], environment: Self.environment(session)) { server in
                let ended = try await write(Self.largeSound, Self.large("s3://archive/large.nut"), on: server)
                #expect(ended.status == 507 && ended.json["limit"] == 9_000_000, "\(ended.text)")
                try await eventually("it is taken back") { try session.uploads("large.nut") == .none }
                #expect(try session.object("large.nut").missing != nil)
            }
        }

        // MARK: Rights

        @Test func tokensHaveTheStoresThatTheirLinesName() async throws {
            let session = try S3Session("localbucket")
            let environment = Self.environment(session).merging(Self.environment(session, name: "SECOND")) { $1 }
            let folder = try TemporaryFolder(), tokens = folder / "tokens"
            try "admin\nacme-token name=acme allow-store=archive\nzeta-token name=zeta\n".write(toFile: tokens, atomically: true, encoding: .utf8)
            try await withServer(["--token-file", tokens], environment: environment) { server in
                for (token, store, status, listed) in [
                    ("admin", "archive", 200, [] as [JSON]), ("admin", "second", 200, []), ("admin", "third", 403, ["s3://archive", "s3://second"]),
                    ("acme-token", "archive", 200, []), ("acme-token", "second", 403, ["s3://archive"]), ("zeta-token", "archive", 403, []),
                ] {
                    let answer = try await write(Pictures(2).data, video("s3://\(store)/\(token).mp4"), on: server, token: token)
                    #expect(answer.status == status, "\(token) \(store): \(answer.text)")
                    if status == 403 {
                        #expect(answer.json["supported"].array == listed && answer.json["type"].string?.hasSuffix("forbidden-destination") == true, "\(answer.text)")
                        let dry = try await server.curl(
                            "POST", "/v1/writers?dry_run=true", headers: ["Authorization: Bearer \(token)"], body: .json(video("s3://\(store)/x.mp4")))
                        #expect(dry.status == 403, "\(dry.text)")
                    }
                }
            }
        }

        @Test func keysAreInNoProcessThatTakesAClientsBytesAndInNoAnswer() async throws {
            let session = try S3Session()
            try await withServer(environment: Self.environment(session)) { server in
                let id = try await server.createWriter(Self.large("s3://archive/a.nut"))
                try await server.sendChunk(Self.largeSound.prefix(400_000), to: id, stream: 0)
                let encoder = try #require(try await server.writer(id)["encoder_pid"].int)
                for process in [pid_t(encoder), try await server.forkServer()] {
                    let found = try ProcessMemory(of: process).occurrences(of: session.secretKey)
                    #expect(found.inProgramHeap == 0 && found.elsewhere == [], "process \(process) holds the key")
                    #expect(try !wholeText("/proc/\(process)/environ").contains(session.secretKey))
                }
                let answer = try await server.finalize(id)
                #expect(!"\(answer) \(server.log.text)".contains(session.secretKey))
            }
        }

        // MARK: Failures

        @Test func deletedWriterLeavesNoParts() async throws {
            let session = try S3Session()
            try await withServer(environment: Self.environment(session)) { server in
                let id = try await server.createWriter(Self.large("s3://archive/gone.nut"))
                try await server.sendChunk(Self.largeSound, to: id, stream: 0)
                try await eventually("a part is there") { try session.uploads("gone.nut").parts > 0 }
                #expect(try await server.curl("DELETE", "/v1/writers/\(id)").status == 204)
                try await eventually("it is taken back") { try session.uploads("gone.nut") == .none }
                #expect(try session.object("gone.nut").missing != nil)
            }
        }

        @Test func encoderThatIsKilledLeavesNoParts() async throws {
            let session = try S3Session()
            try await withServer(environment: Self.environment(session)) { server in
                let id = try await server.createWriter(Self.large("s3://archive/killed.nut"))
                try await server.sendChunk(Self.largeSound, to: id, stream: 0)
                try await eventually("a part is there") { try session.uploads("killed.nut").parts > 0 }
                kill(pid_t(try #require(try await server.writer(id)["encoder_pid"].int)), SIGKILL)
                try await eventually("it is taken back") { try session.uploads("killed.nut") == .none }
            }
        }

        @Test func storeThatRefusesSaysSoBeforeAnythingIsSent() async throws {
            let session = try S3Session()
            var environment = Self.environment(session)
            environment["PENSTOCK_STORE_WRONG_ENDPOINT"] = session.endpoint
            environment["PENSTOCK_STORE_WRONG_BUCKET"] = session.bucket
            environment["PENSTOCK_STORE_WRONG_ACCESS_KEY"] = session.accessKey
            environment["PENSTOCK_STORE_WRONG_SECRET_KEY"] = "not-the-secret-of-anyone"
            environment["PENSTOCK_STORE_ARCHIVE_BUCKET"] = "no-such-bucket"
            try await withServer(environment: environment) { server in
                for (store, code) in [("archive", "NoSuchBucket"), ("wrong", "SignatureDoesNotMatch")] {
                    for name in ["a.ts", "a.mp4"] {
                        let refused = try await server.curl("POST", "/v1/writers", body: .json(video("s3://\(store)/\(name)")))
                        #expect(refused.status == 502 && refused.json["detail"].string?.contains(code) == true, "\(refused.text)")
                        #expect(!refused.text.contains("not-the-secret") && !refused.text.contains(session.secretKey))
                    }
                }
            }
        }

        @Test func credentialsFileIsReadAgain() async throws {
            let session = try S3Session(), folder = try TemporaryFolder(), file = folder / "credentials"
            func give(_ secret: String) throws {
                try "[default]\naws_access_key_id = \(session.accessKey)\naws_secret_access_key = \(secret)\n".write(toFile: file, atomically: true, encoding: .utf8)
            }
            var environment = Self.environment(session)
            environment["PENSTOCK_STORE_ARCHIVE_ACCESS_KEY"] = nil
            environment["PENSTOCK_STORE_ARCHIVE_SECRET_KEY"] = nil
            environment["PENSTOCK_STORE_ARCHIVE_CREDENTIALS_FILE"] = file
            try give("wrong")
            try await withServer(environment: environment) { server in
                #expect(try await write(Pictures(2).data, video("s3://archive/a.ts"), on: server).status == 502)
                try give(session.secretKey)
                #expect(try await write(Pictures(2).data, video("s3://archive/a.ts"), on: server).status == 200)
            }
        }

        @Test func storesAreInConfigurationFilesTooAndReadAgain() async throws {
            let session = try S3Session("localbucket"), folder = try TemporaryFolder(), file = folder / "penstock.yaml"
            func write(_ name: String) throws {
                try """
                stores:
                  \(name):
                    endpoint: \(session.endpoint)
                    bucket: \(session.bucket)
                    access_key: any
                    secret_key: anysecret

                """.write(toFile: file, atomically: true, encoding: .utf8)
            }
            try write("first")
            try await withServer(["--config", file]) { server in
                #expect(try await self.write(Pictures(2).data, video("s3://first/a.ts"), on: server).status == 200)
                try write("second")
                server.process.signal(SIGHUP)
                _ = await server.log.line(containing: "read again", within: 20)
                #expect(try await self.write(Pictures(2).data, video("s3://second/b.ts"), on: server).status == 200)
                #expect(try await self.write(Pictures(2).data, video("s3://first/b.ts"), on: server).status == 403)
            }
        }
    }
}
