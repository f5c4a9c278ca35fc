import Foundation
import Testing

extension EndToEnd {
    /// What a person sees of responses in a terminal.
    @Suite struct TableResponseTests {
        private static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]

        @Test func everyJSONEndsWithANewline() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["format": "wav", "streams": [Self.audio], "open": true])
                let paths = [
                    "/v1/writers", "/v1/writers/\(id)", "/v1/muxers", "/v1/muxers/mp4", "/v1/encoders/aac", "/v1/filters/scale", "/v1/version", "/livez", "/readyz",
                    "/nothing", "/v1/writers/none", "/v1/muxers/none", "/v1/writers/\(id)/output?x=1",
                ]
                var responses = try await paths.asyncMap { try await server.curl("GET", $0) }
                responses.append(try await server.curl("POST", "/v1/writers", body: .text("{")))
                responses.append(try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Data(count: 2))))
                responses.append(try await server.curl("POST", "/v1/writers/\(id)/streams/0/chunks", body: .bytes(Data(count: 3))))
                responses.append(try await server.curl("POST", "/v1/writers/\(id)/finalize"))
                responses.append(try await server.curl("GET", "/v1/writers/\(id)"))
                responses.append(try await server.curl("GET", "/v1/writers"))
                for response in responses {
                    #expect(response["Content-Type"]?.hasSuffix("json") == true)
                    #expect(response.body.suffix(2) == Data("}\n".utf8), "\(response.text)")
                    #expect(response.json != .null)
                    if let length = response["Content-Length"] { #expect(length == "\(response.body.count)") }
                }
                // What is kept on disk is as it was.
                let record = try Data(contentsOf: URL(fileURLWithPath: server.folder / "state/writers/\(id)/record.json"))
                #expect(record.last == UInt8(ascii: "}"))
            }
        }

        @Test func writersAreATableForAClientThatAsksForText() async throws {
            try await withServer { server in
                var ids: [String] = []
                for name in ["one", "two", "three"] { ids.append(try await server.createWriter(["dst": .string("\(name).wav"), "streams": [Self.audio], "open": true])) }
                try await server.sendChunk(Data(count: 16_000), to: ids[0], stream: 0)
                try await server.finalize(ids[0])
                for (path, headers) in [("/v1/writers", ["Accept: text/plain"]), ("/v1/writers?format=table", [])] {
                    let response = try await server.curl("GET", path, headers: headers)
                    #expect(response.status == 200 && response["Content-Type"] == "text/plain; charset=utf-8" && response["Vary"] == "Accept")
                    let lines = response.text.split(separator: "\n").map(String.init)
                    #expect(lines.count == 4, "\(response.text)")
                    // Newest first, each value under its heading.
                    for (line, (id, name, state)) in zip(lines.dropFirst(), [(ids[2], "three", "open"), (ids[1], "two", "open"), (ids[0], "one", "closed")]) {
                        for (heading, value) in [("ID", id), ("STATE", state), ("STREAMS", "pcm_s16le"), ("DST", "\(name).wav")] {
                            let column = try #require(lines[0].range(of: heading)).lowerBound.utf16Offset(in: lines[0])
                            #expect(String(line.dropFirst(column)).hasPrefix(value), "\(heading): \(response.text)")
                        }
                    }
                    #expect(lines[3].contains(" 16K "), "\(lines[3])")
                }
                let plain = try await server.curl("GET", "/v1/writers")
                #expect(plain["Content-Type"] == "application/json" && plain["Vary"] == "Accept")
                let head = try await server.curl("HEAD", "/v1/writers", headers: ["Accept: text/plain"])
                #expect(head.status == 200 && head["Content-Type"] == "text/plain; charset=utf-8")
            }
        }

        @Test func moreLeadsToTheNextPageUntilThereIsNone() async throws {
            try await withServer { server in
                var ids: Set<String> = []
                for _ in 0..<5 { ids.insert(try await server.createWriter(["format": "wav", "streams": [Self.audio]])) }
                var path: String? = "/v1/writers?format=table&limit=2&state=configuring"
                var seen: [String] = []
                var pages = 0
                while let next = path {
                    let text = try await server.curl("GET", next).text
                    seen += text.split(separator: "\n").dropFirst().filter { !$0.hasPrefix("more: ") }.compactMap { $0.split(separator: " ").first.map(String.init) }
                    path = text.split(separator: "\n").first { $0.hasPrefix("more: ") }.map { String($0.dropFirst(6)) }
                    pages += 1
                }
                #expect(pages == 3 && seen.count == 5 && Set(seen) == ids)
            }
        }

        @Test func oneWriterIsATableWhileItLivesAndAfterIt() async throws {
            try await withServer { server in
                let attack = "a\u{1B}[2J\nstate  closed\u{202E}"
                let id = try await server.createWriter(["dst": "a.wav", "metadata": ["title": .string(attack)], "streams": [Self.audio], "open": true])
                try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
                for state in ["open", "closed"] {
                    if state == "closed" { try await server.finalize(id) }
                    let response = try await server.curl("GET", "/v1/writers/\(id)", headers: ["Accept: text/plain, */*;q=0.1"])
                    #expect(response["Content-Type"] == "text/plain; charset=utf-8" && response["Vary"] == "Accept")
                    let lines = response.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                    #expect(lines.contains(["id", id]) && lines.contains(["state", state]) && lines.contains(["dst", "a.wav"]), "\(response.text)")
                    #expect(lines.filter { $0.first == "state" }.count == 1, "\(response.text)")
                    #expect(lines.contains { $0.starts(with: ["0", "audio", "8000", "1.000", "16000", "s16", "8000", "Hz", "1", "ch", "pcm_s16le"]) }, "\(response.text)")
                    #expect(response.text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7F && $0 != "\u{202E}" })
                    #expect(lines.contains { $0.first == "sha256" || $0.contains("sha256") } == (state == "closed"), "\(response.text)")
                }
                let odd = try await server.curl("GET", "/v1/writers/\(id)?format=xml")
                #expect(odd.status == 422 && odd.json["parameter"] == "format" && odd.json["supported"] == ["json", "table"])
            }
        }

        @Test func optionsAreATableThatFitsATerminal() async throws {
            try await withServer { server in
                for (path, words) in [
                    ("/v1/encoders/libx264", ["preset", "ultrafast", "zerolatency", "high444", "crf", "keys:"]), ("/v1/muxers/mp4", ["movflags", "faststart"]),
                    ("/v1/filters/drawtext", ["fontfile", "not allowed", "video"]), ("/v1/audio-encoders", ["libopus", "opus"]), ("/v1/filters", ["scale", "V->V"]),
                    ("/v1/muxers", ["matroska"]), ("/v1/output-devices", ["DESCRIPTION"]), ("/v1/output-protocols", ["rtmp"]), ("/v1/version", ["ffmpeg"]),
                ] {
                    let response = try await server.curl("GET", path, headers: ["Accept: text/plain"])
                    #expect(response.status == 200 && response["Content-Type"] == "text/plain; charset=utf-8" && response["Vary"] == "Accept", "\(path)")
                    for word in words { #expect(response.text.contains(word), "\(path) lacks \(word)") }
                    #expect(response.text.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(path)")
                    #expect(response.text.hasSuffix("\n"))
                }
            }
        }

        @Test func oneFilterSaysWhatClientsMayUse() async throws {
            try await withServer { server in
                let one = try await server.curl("GET", "/v1/filters/drawtext")
                let all = try await server.curl("GET", "/v1/filters")
                #expect(one.json == all.json["filters"].array.first { $0["name"] == "drawtext" })
                #expect(one.body.count < 50_000 && all.body.count > 500_000)
                let file = try #require(one.json["options"].array.first { $0["name"] == "textfile" })
                #expect(file["allowed"] == false && file["refusal"].string?.isEmpty == false)
                let movie = try await server.curl("GET", "/v1/filters/movie").json
                #expect(movie["allowed"] == false && movie["refusal"].string?.isEmpty == false)
            }
        }

        @Test func rootNamesTheContract() async throws {
            try await withServer { server in
                for path in ["/", "/v1", "/v1/"] {
                    let response = try await server.curl("GET", path)
                    #expect(response.status == 404 && response.problem == "not-found")
                    #expect(response.json["detail"].string?.contains("/openapi.yaml") == true && response.json["paths"].array.contains("/v1/writers"))
                }
                #expect(try await server.curl("GET", "/v1/writer").json["paths"].array.first == "/v1/writers")
                let wrong = try await server.curl("POST", "/v1/filters/scale")
                #expect(wrong.status == 405 && wrong["Allow"] == "GET, HEAD")
            }
        }

        /// `curl -T FILE URL` is a PUT.
        @Test func fileThatCurlUploadsIsEncoded() async throws {
            try await withServer { server in
                let raw = Data((0..<16_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                try raw.write(to: URL(fileURLWithPath: server.folder / "take.raw"))
                let query = "format=wav&sample_rate=8000&num_channels=1&sample_format=s16"
                let posted = try await server.curl("POST", "/v1/encode?\(query)", body: .bytes(raw))
                let put = try await Tool.run("curl", ["-sS", "--fail-with-body", "-T", server.folder / "take.raw", "\(server.address)/v1/encode?\(query)"])
                #expect(put.end == .exited(0) && put.output == posted.body && posted.body.suffix(16_000) == raw)
                let folder = try await Tool.run("curl", ["-sS", "-T", server.folder / "take.raw", "\(server.address)/v1/encode/"])
                #expect(folder.text.contains("slash") && folder.text.contains("404") && folder.text.hasSuffix("}\n"), "\(folder.text)")
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async throws -> [T] {
        var result: [T] = []
        for element in self { result.append(try await body(element)) }
        return result
    }
}
