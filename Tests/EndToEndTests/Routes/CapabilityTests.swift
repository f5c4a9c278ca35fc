import Foundation
import Testing

extension EndToEnd {
    /// What the server says libav can do is what FFmpeg's own command line says.
    @Suite struct CapabilityTests {
        private func lines(_ arguments: String...) async throws -> [String] {
            let result = try await Tool.run("ffmpeg", ["-hide_banner"] + arguments)
            return result.text.split(separator: "\n").map(String.init)
        }

        /// Names in the second column of a list such as `-encoders`, below its line of dashes.
        private func names(_ list: String, where flags: (String) -> Bool) async throws -> Set<String> {
            let lines = try await lines(list)
            let start = lines.firstIndex { $0.trimmingCharacters(in: .whitespaces).allSatisfy { $0 == "-" } } ?? -1
            let rows = lines[(start + 1)...].compactMap { line -> String? in
                let prefix = String(line.prefix(list == "-encoders" ? 7 : 4))
                let words = line.dropFirst(prefix.count).split(separator: " ")
                guard flags(prefix), let name = words.first else { return nil }
                return String(name)
            }
            return Set(rows)
        }

        private func served(_ path: String, _ member: String, on server: PenstockServer) async throws -> Set<String> {
            let response = try await server.curl("GET", path)
            #expect(response.status == 200)
            let names = response.json[member].array.compactMap { $0.string ?? $0["name"].string }
            #expect(Set(names).count == names.count, "\(path) names something twice")
            return Set(names)
        }

        @Test func listsAreTheCommandLines() async throws {
            try await withServer { server in
                #expect(
                    try await served("/v1/audio-encoders", "encoders", on: server)
                        == names("-encoders") { $0.hasPrefix(" A") })
                #expect(
                    try await served("/v1/video-encoders", "encoders", on: server)
                        == names("-encoders") { $0.hasPrefix(" V") })
                let devices = try await served("/v1/output-devices", "output_devices", on: server)
                #expect(devices == (try await names("-devices") { $0.contains("E") }))
                let muxers = try await served("/v1/muxers", "muxers", on: server)
                #expect(muxers == (try await names("-muxers") { $0.contains("E") }).subtracting(devices))
                let protocols = try await lines("-protocols")
                let output = protocols.drop { !$0.hasPrefix("Output:") }.dropFirst()
                #expect(
                    try await served("/v1/output-protocols", "protocols", on: server)
                        == Set(output.map { $0.trimmingCharacters(in: .whitespaces) }))
                let filters = try await lines("-filters").filter { $0.contains("->") && !$0.contains(" = ") }
                #expect(
                    try await served("/v1/filters", "filters", on: server)
                        == Set(filters.compactMap { $0.dropFirst(4).split(separator: " ").first.map(String.init) }))
            }
        }

        @Test(arguments: ["libx264", "libmp3lame", "aac", "ffv1", "mpeg2video"])
        func encoderHasAllThatItsHelpPrints(_ name: String) async throws {
            let help = try await lines("-h", "encoder=\(name)")
            try await withServer { server in
                let response = try await server.curl("GET", "/v1/encoders/\(name)")
                #expect(response.status == 200)
                let encoder = response.json
                let options = encoder["options"].array.filter { $0["private"] == true }
                let printed = help.compactMap { $0.firstMatch(of: /^  -(\S+)\s+<(\S+)>/).map { (String($0.1), String($0.2)) } }
                #expect(printed.count >= 1)
                #expect(options.compactMap { $0["name"].string } == printed.map(\.0))
                #expect(options.compactMap { $0["type"].string } == printed.map(\.1))
                let choices = help.compactMap { $0.firstMatch(of: /^     (\S+)\s/).map { String($0.1) } }
                // Of text libav prints none.
                #expect(options.filter { $0["type"] != "string" }.flatMap { $0["choices"].array.compactMap { $0["name"].string } } == choices)
                let lists = ["formats": "pixel formats:", "sample_rates": "sample rates:", "frame_rates": "framerates:"]
                for (member, label) in lists {
                    guard let line = help.first(where: { $0.contains("Supported \(label)") }) else {
                        if member != "formats" { #expect(encoder[member] == .null, "anything goes") }
                        continue
                    }
                    let words = line.components(separatedBy: label)[1].split(separator: " ").map {
                        $0.hasSuffix("/1") ? String($0.dropLast(2)) : String($0)
                    }
                    #expect(encoder[member].array.map { $0.string ?? "\($0.int ?? 0)" } == words)
                }
                if let line = help.first(where: { $0.contains("Supported sample formats:") }) {
                    let words = line.components(separatedBy: "formats:")[1].split(separator: " ").map(String.init)
                    #expect(encoder["formats"].array.compactMap(\.string) == words)
                }
            }
        }

        @Test func whatIsNotThereIs404WithWhatIs() async throws {
            try await withServer { server in
                for (path, one) in [("/v1/encoders/x264", "libx264"), ("/v1/muxers/mp", "mp4"), ("/v1/filters/drawtex", "drawtext")] {
                    let response = try await server.curl("GET", path)
                    #expect(response.status == 404)
                    #expect(response.problem == "not-found")
                    #expect(response.json["supported"].array.contains(.string(one)))
                    #expect(response.json["did_you_mean"].string == one, "\(response.json["detail"])")
                }
                let device = try await server.curl("GET", "/v1/muxers/sdl")
                #expect(device.json["options"].array.contains { $0["name"] == "window_fullscreen" })
                let version = try await server.curl("GET", "/v1/version").json
                #expect(version["libraries"]["libavcodec"].string?.split(separator: ".").count == 3)
                let printed = try await lines("-version")
                #expect(printed[0].contains(version["ffmpeg"].string ?? "none"))
            }
        }
    }
}
