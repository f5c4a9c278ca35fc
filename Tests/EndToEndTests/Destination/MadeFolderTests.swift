import Foundation
import Testing

extension EndToEnd {
    /// Folders that are made for a writer go with it, and no others.
    @Suite struct MadeFolderTests {
        private static let sound: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1]

        private func isThere(_ name: String, _ server: PenstockServer) -> Bool {
            FileManager.default.fileExists(atPath: server.outputFolder + "/" + name)
        }

        private func make(_ name: String, _ server: PenstockServer) throws {
            try FileManager.default.createDirectory(atPath: server.outputFolder + "/" + name, withIntermediateDirectories: true)
        }

        private func delete(_ id: String, _ server: PenstockServer) async throws {
            #expect(try await server.curl("DELETE", "/v1/writers/\(id)").isDeleted)
        }

        @Test(arguments: [false, true]) func foldersOfAFileGoWithItsWriter(isClosed: Bool) async throws {
            try await withServer { server in
                try make("there", server)
                let id = try await server.createWriter(["dst": "there/show/a/x.wav", "streams": [Self.sound], "open": true])
                if isClosed { try await server.finalize(id) }
                #expect(isThere("there/show/a/x.wav", server))
                try await delete(id, server)
                // Of a writer that lives, once the gateway has heard of it.
                try await eventually("the folder's end") { !isThere("there/show", server) }
                #expect(isThere("there", server), "it was there before")
            }
        }

        @Test func foldersThatOthersUseStay() async throws {
            try await withServer { server in
                let first = try await server.createWriter(["dst": "show/a/x.wav", "streams": [Self.sound], "open": true])
                // The second has made none of them, and has a file in the one and not yet in the other.
                let second = try await server.createWriter(["dst": "show/y.wav", "streams": [Self.sound], "open": true])
                let third = try await server.createWriter(["dst": "show/a/live.m3u8", "streams": [Self.sound]])
                for id in [first, second, third] where id != third { try await server.finalize(id) }
                try await delete(first, server)
                #expect(isThere("show/a", server) && isThere("show/y.wav", server))
                #expect(try await server.curl("POST", "/v1/writers/\(third)/open").status == 200)
                try await server.sendChunk(Data(count: 32_000), to: third, stream: 0)
                try await server.finalize(third)
                #expect(isThere("show/a/live.m3u8", server))
                try await delete(second, server)
                try await delete(third, server)
                // Neither of the two has made it: the last one takes it along.
                try await eventually("the folder's end") { !isThere("show", server) }
            }
        }

        /// Another program has put one of its own in the place.
        @Test func aFolderThatHasTakenTheNameStays() async throws {
            try await withServer { server in
                let id = try await server.createWriter(["dst": "show/x.wav", "streams": [Self.sound], "open": true])
                try await server.finalize(id)
                try FileManager.default.moveItem(atPath: server.outputFolder + "/show", toPath: server.outputFolder + "/moved")
                try make("show", server)
                try await delete(id, server)
                #expect(isThere("show", server) && isThere("moved/x.wav", server))
            }
        }

        @Test func foldersThatAMuxerAsksForGoToo() async throws {
            try await withServer { server in
                let stream = Pictures.stream(gop: 20)
                let id = try await server.createWriter([
                    "dst": "live/%v/p.m3u8", "format": "hls", "streams": [stream, stream],
                    "open": ["option": ["var_stream_map": "v:0 v:1", "hls_time": "0.8"]],
                ])
                for index in 0..<2 { try await server.sendChunk(Pictures(40).data, to: id, stream: index) }
                #expect(isThere("live/0", server) && isThere("live/1", server))
                try await server.finalize(id)
                try await delete(id, server)
                try await eventually("the folders' end") { !isThere("live", server) }
            }
        }

        @Test func aCreationThatFailsLeavesNoFolder() async throws {
            try await withServer { server in
                for dst in ["new/a.mp4", "new/b/live.m3u8"] {
                    let refused = try await server.curl(
                        "POST", "/v1/writers", body: .json(["dst": .string(dst), "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1, "encoder": "wavpack"]]]))
                    #expect(refused.status == 422, "\(refused.text)")
                    try await eventually("the folder's end") { !isThere("new", server) }
                }
            }
        }

        /// Some were told that another program had removed what the DELETE did.
        @Test func theOutputIsThereOrTheWriterIsNot() async throws {
            try await withServer { server in
                for round in 0..<3 {
                    let id = try await server.createWriter([
                        "dst": .string("a\(round).ts"), "format": "mpegts", "streams": [Pictures.stream()], "open": true,
                    ])
                    try await server.sendChunk(Pictures(20).data, to: id, stream: 0)
                    if round > 0 { try await server.finalize(id) }
                    try await inParallel(8) { number in
                        if number == 4 { return try await delete(id, server) }
                        let response = try await server.curl(
                            round > 0 ? "GET" : "HEAD", "/v1/writers/\(id)/output")
                        #expect([200, 404].contains(response.status), "\(response.status) \(response.text)")
                    }
                }
            }
        }
    }
}
