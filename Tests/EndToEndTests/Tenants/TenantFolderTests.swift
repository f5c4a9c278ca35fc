import Foundation
import Testing

extension EndToEnd {
    /// The folders that lines of the token file name.
    @Suite struct TenantFolderTests {
        private static let lines = ["a name=acme folder=acme", "t name=deep folder=in/deep/", "f name=free", "all"]

        private static func file(_ dst: String, overwrite: Bool = false) -> JSON {
            ["dst": .string(dst), "format": "wav", "overwrite": .bool(overwrite), "streams": [Tenants.audio], "open": true]
        }

        @Test func foldersAreThereBeforeTheirFirstWriter() async throws {
            try await Tenants.run(Array(Self.lines.dropFirst())) { tenants in
                #expect(FileManager.default.fileExists(atPath: tenants.server.outputFolder + "/in/deep"))
                try tenants.change(to: Self.lines)
                try await eventually("the new line's folder") {
                    FileManager.default.fileExists(atPath: tenants.server.outputFolder + "/acme")
                }
            }
        }

        @Test func nameWithoutAFolderDoesNotWriteInThoseOfOthers() async throws {
            try await Tenants.run(Self.lines) { tenants in
                for dst in ["acme", "acme/x.wav", "acme/sub/x.wav", "in", "in/deep", "in/deep/x.wav"] {
                    for overwrite in [false, true] {
                        let refused = try await tenants.call("f", "PUT", "/v1/writers/one", Self.file(dst, overwrite: overwrite))
                        #expect(refused.status == 403, "\(dst): \(refused.text)")
                        #expect(refused.problem == "forbidden-destination" && refused.json["parameter"] == "dst")
                    }
                }
                for (number, dst) in ["acme2", "in/x.wav", "acme.wav", "ACME/x.wav"].enumerated() {
                    try await tenants.make("f", "w\(number)", Self.file(dst))
                }
                // Who sees every writer writes everywhere.
                try await tenants.make("all", "theirs", Self.file("acme/theirs.wav"))
                try await tenants.make("a", "x", Self.file("x.wav"))
                #expect(FileManager.default.fileExists(atPath: tenants.server.outputFolder + "/acme/x.wav"))
            }
        }

        @Test(arguments: ["acme/s%d.ts", "in/deep/s%d.ts"])
        func neitherDoItsMuxers(segments: String) async throws {
            try await Tenants.run(Self.lines) { tenants in
                let list: JSON = [
                    "dst": "live.m3u8", "streams": [Tenants.audio],
                    "open": ["option": ["hls_time": "1", "hls_segment_filename": .string(segments)]],
                ]
                let made = try await tenants.call("f", "PUT", "/v1/writers/one", list)
                if made.status == 201 {
                    _ = try await tenants.send("f", "one", Data(count: 64_000))
                    #expect(try await tenants.call("f", "POST", "/v1/writers/one/finalize").status >= 400)
                }
                for folder in ["acme", "in/deep"] {
                    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(tenants.server.outputFolder)/\(folder)") == [])
                }
            }
        }

        /// The operator's mistake: not to be tried again, not the tenant's to know of, and no id is dead by it.
        @Test(arguments: [false, true]) func folderThatCannotBeMadeLeavesNoDeadId(isLink: Bool) async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder / "output", withIntermediateDirectories: true)
            let place = folder / "output/hidden-place"
            if isLink {
                try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: "/tmp")
            } else {
                try Data("x".utf8).write(to: URL(fileURLWithPath: place))
            }
            try await Tenants.run(["a name=acme folder=hidden-place", "b name=beta"], in: folder) { tenants in
                for _ in 0..<2 {
                    let refused = try await tenants.call("a", "PUT", "/v1/writers/one", Self.file("x.wav"))
                    #expect(refused.status == 500 && refused.problem == "internal-error", "\(refused.text)")
                    #expect(!refused.text.contains("hidden-place") && !refused.text.contains("Try again"), "\(refused.text)")
                }
                #expect(tenants.server.log.text.contains("hidden-place"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder / "state/writers") == [])
                try FileManager.default.removeItem(atPath: place)
                try await tenants.make("a", "one", Self.file("x.wav"))
            }
        }
    }
}
