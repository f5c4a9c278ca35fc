import Foundation
import Testing

extension EndToEnd {
    /// The commands of the pages, as they stand there, make what the pages say.
    @Suite struct PageTests {
        private static let script = Repository.root + "/scripts/page-session.py"

        @Test(arguments: Page.all)
        func commandsOfThePageMakeWhatItSays(page: Page) async throws {
            let options = try await Tool.run("python3", [Self.script, Repository.root + "/" + page.path, "--serve-options"])
            #expect(options.end == .exited(0), "\(options.errors)")
            try await withServer(options.text.split(separator: "\n").map(String.init)) { server in
                let session = try await Self.run(page, against: server)
                #expect(session.end == .exited(0), "\(session.text)\n\(session.errors)")
                var rest = Substring(session.text)
                for text in page.prints {
                    let found = rest.range(of: text)
                    #expect(found != nil, "\(text) in\n\(rest)")
                    if let found { rest = rest[found.upperBound...] }
                }
                for (file, text, count) in page.texts {
                    let whole = try String(contentsOfFile: server.folder / file, encoding: .utf8)
                    #expect(whole.components(separatedBy: text).count - 1 == count, "\(text) in\n\(whole)")
                }
                for file in page.files { try await file.check(in: server.folder) }
            }
        }

        /// Other ports than the pages' own, which a program of this machine may have.
        private static func run(_ page: Page, against server: PenstockServer) async throws -> Tool.Result {
            let ports = ["--port", "1935=\(try LoopbackPort.free().number)", "--port", "9000=\(try LoopbackPort.free(.udp).number)", "--port", "9100=\(try LoopbackPort.free().number)"]
            return try await Tool.run("python3", [script, Repository.root + "/" + page.path, server.address, server.folder.path] + ports)
        }

        @Test func everyPageWithCommandsIsRun() throws {
            let run = Set(Page.all.map(\.path))
            for path in try DocumentationTests.pages() where path.hasPrefix("docs/") || !path.contains("/") {
                let text = try String(contentsOfFile: Repository.root + "/" + path, encoding: .utf8)
                let blocks = text.matches(of: /(?m)^```(?:sh|python)( .*)?$/).filter { $0.1?.contains("no-run") != true }
                #expect(blocks.isEmpty == !run.contains(path), "\(path) has commands, or no more")
            }
        }
    }
}

extension MadeFile {
    func check(in folder: TemporaryFolder) async throws {
        let file = folder / path
        let probed = try await Tool.ffprobe(file)
        let streams = probed["streams"].array
        #expect(streams.map { $0["codec_name"].string } == codecs, "\(path)")
        // A container's last block of samples, and the encoders' delays.
        let seconds = probed["format"]["duration"].string.flatMap { Double($0) } ?? .nan
        #expect(abs(seconds - duration) < 0.1, "\(path) has \(seconds) s")
        if let frames { #expect(streams.first?["nb_read_frames"].string == "\(frames)", "\(path)") }
        for (name, value) in stream { #expect(streams.first?[name].string == value, "\(path): \(name)") }
        if let loudness { #expect(abs(try await Self.loudness(of: file) - loudness) < 1, "\(path)") }
        if let times { #expect(try await Self.times(of: file) == times, "\(path)") }
        for fact in pictures {
            let value = try await Self.statistic(fact, of: file)
            #expect(fact.range.contains(value), "\(path): \(fact.statistic) behind \(fact.filters) is \(value)")
        }
        if let source {
            #expect(try await Tool.psnr(["-i", file], ["-f", "lavfi", "-i", source], format: "rgb24") == .infinity, "\(path)")
        }
    }

    private static func loudness(of file: String) async throws -> Double {
        let said = try await Tool.ffmpeg("-nostats", "-i", file, "-af", "ebur128", "-f", "null", "-").errors
        // The summary at the end.
        let found = said.matches(of: /I: +(-?[0-9.]+) LUFS/).last
        return try #require(found.flatMap { Double($0.1) })
    }

    private static func times(of file: String) async throws -> [Double] {
        let said = try await Tool.run("ffprobe", ["-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", file]).text
        return said.matches(of: /[0-9.]+/).compactMap { Double($0.0) }
    }

    private static func statistic(_ fact: PictureFact, of file: String) async throws -> Double {
        let filters = "\(fact.filters),signalstats,metadata=print:key=lavfi.signalstats.\(fact.statistic):file=-"
        let said = try await Tool.ffmpeg("-i", file, "-vf", filters, "-frames:v", "1", "-f", "null", "/dev/null").text
        let found = said.firstMatch(of: /signalstats\.\w+=([0-9.]+)/)
        return try #require(found.flatMap { Double($0.1) })
    }
}
