import APICore
import HTTP1
import HTTPServer
import Testing
import WriterModel

@Suite struct TableTests {
    private static let now = Timestamp(secondsSinceEpoch: 1_000_000_090, nanoseconds: 0)
    private static let writer: JSONObject = [
        "id": "take-1", "state": "open", "created_at": .string("\(Timestamp(secondsSinceEpoch: 1_000_000_000, nanoseconds: 0))"),
        "dst": "shows/take.mp4", "format": "mp4", "bytes_written": 1_572_864,
        "streams": [
            ["index": 0, "type": "video", "encoder": "libx264", "format": "rgb24", "width": 1280, "height": 720, "frame_rate": "25", "frames": 2_250, "next_pts": 90, "offset": 99],
            ["index": 1, "type": "audio", "encoder": "aac", "format": "s16", "sample_rate": 48_000, "num_channels": 2, "frames": 4_320_000, "next_pts": .number(45.5), "offset": 7],
        ],
    ]

    /// 2,250 pictures in 90 seconds; 90 seconds of media in 90.
    @Test func writersHaveARowEach() {
        var table = WriterTable(now: Self.now)
        table.add(Self.writer)
        #expect(table.text(more: "/v1/writers?cursor=c") == """
            ID      STATE  AGE  STREAMS       FPS  SPEED  BYTES  DST
            take-1  open    1m  libx264,aac  25.0  1.00x   1.5M  shows/take.mp4

            more: /v1/writers?cursor=c

            """)
        #expect(WriterTable(now: Self.now).text() == "no writers\n")
        #expect(table.text(missing: [["node": "b", "reason": "timeout"]]).hasSuffix("\nmissing: the writers of b (timeout)\n"))
    }

    @Test func writerHasItsStreamsWarningsAndFailure() {
        var writer = Self.writer
        writer["failure"] = ["title": "Encoding failed", "detail": "libx264: no"]
        let text = TableKind.writer.text(of: .object(writer), now: Self.now)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.contains("     0  video     2250  90.000      99  rgb24 1280x720 25/s  libx264"), "\(text)")
        #expect(lines.contains("     1  audio  4320000  45.500       7  s16 48000 Hz 2 ch    aac"), "\(text)")
        #expect(lines.contains("bytes_written  1572864 (1.5M)") && lines.contains("failure  Encoding failed"), "\(text)")
        #expect(lines.contains("         libx264: no"), "\(text)")
    }

    @Test func writerHasItsOutputsInATable() {
        var writer = Self.writer
        writer["outputs"] = [
            ["name": "record", "state": "open", "dst": "shows/take.mp4", "format": "mp4", "packets": 2_250, "packets_dropped": 0, "attempts": 1, "lag": 0, "bytes_written": 1_572_864],
            [
                "name": "live", "state": "failed", "dst": "rtmp://h/***", "format": "flv", "streams": ["0:hd", "1"], "packets": 12, "packets_dropped": 99,
                "attempts": 3, "lag": .number(2.25), "bytes_written": 512, "error": ["code": "destination-failed", "detail": "reset by peer"],
            ],
        ]
        let text = TableKind.writer.text(of: .object(writer), now: Self.now)
        #expect(text.contains("""

            OUTPUT  STATE   FORMAT  STREAMS  PACKETS  DROPPED  OPENED  LAG  BYTES  DST
            record  open    mp4                 2250        0       1  0.0   1.5M  shows/take.mp4
            live    failed  flv     0:hd,1        12       99       3  2.3    512  rtmp://h/***

            error  live: destination-failed: reset by peer

            """), "\(text)")
    }

    @Test func failedWriterShowsTheCodeOfItsFailureAndWhatEndedIt() {
        var writer = Self.writer
        writer["state"] = "failed"
        writer["failure"] = ["type": "urn:penstock:problem:encoder-crashed", "title": "The encoder crashed", "detail": "by SIGSEGV"]
        let lines = TableKind.writer.text(of: .object(writer), now: Self.now).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.contains(["ended_by", "crash"]) && lines.contains(["code", "encoder-crashed"]), "\(lines)")
        let list = TableKind.writers.text(of: ["writers": [.object(writer), .object(Self.writer)]], now: Self.now).split(separator: "\n")
        #expect(list[0].hasSuffix("  REASON           DST") && list[1].hasSuffix("  encoder-crashed  shows/take.mp4"), "\(list)")
    }

    /// A client names much of a writer, an encoder's library the rest.
    @Test(arguments: [TableKind.writers, .writer, .encoders, .encoder, .muxers, .muxer, .filters, .filter, .protocols, .version])
    func noTextOfAClientReachesTheTerminalAsItIs(kind: TableKind) {
        let attack = JSONValue.string("\u{1B}[2J\nSTATE ok\r\u{9B}1m\u{202E}\u{7}")
        let names = [
            "id", "name", "node", "state", "created_at", "ended_at", "dst", "format", "bytes_written", "type", "encoder", "frames", "code", "detail", "title",
            "description", "codec", "refusal", "help", "default", "minimum", "unknown\u{1B}[1m", "log", "place", "reason", "encoder_format", "width", "height",
        ]
        let leaf = JSONObject(names.map { ($0, attack) })
        var object = leaf
        for list in ["writers", "streams", "outputs", "warnings", "encoders", "muxers", "filters", "options", "choices", "partial"] {
            object[list] = [.object(leaf)]
        }
        for list in ["protocols", "keys", "extensions", "log"] { object[list] = [attack] }
        for member in ["result", "failure", "metadata"] { object[member] = .object(object) }
        var whole = object
        for list in ["writers", "streams", "outputs", "encoders", "muxers", "filters", "options"] { whole[list] = [.object(object)] }
        let text = kind.text(of: .object(whole), now: Self.now)
        #expect(!text.isEmpty)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "\u{202E}" })
        // A line feed in a value begins no line.
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("STATE ok") })
    }

    @Test(arguments: [(0, nil), (1, "90.00x"), (89, "1.01x")] as [(Int64, String?)])
    func speedIsOfTheTimeThatTheWriterLived(seconds: Int64, speed: String?) {
        var writer = Self.writer
        writer["ended_at"] = .string("\(Timestamp(secondsSinceEpoch: 1_000_000_000 + seconds, nanoseconds: 0))")
        let text = TableKind.writers.text(of: ["writers": [.object(writer)]], now: Self.now)
        if let speed { #expect(text.contains(" \(speed) "), "\(text)") } else { #expect(!text.contains("SPEED"), "\(text)") }
    }

    @Test(arguments: [
        ("", [] as [String], "json"), ("", ["Accept: */*"], "json"), ("", ["Accept: text/plain"], "table"), ("?format=table", [], "table"),
        ("?format=json", ["Accept: text/plain"], "json"), ("?format=table", ["Accept: application/json"], "table"),
        ("", ["Accept: text/html,application/xhtml+xml,*/*;q=0.8"], "json"), ("", ["Accept: application/json;q=0.5, text/plain;q=0.4"], "json"),
        ("", ["Accept: application/json;q=0.4", "Accept: text/plain;q=0.5"], "table"), ("", ["Accept: image/png"], "json"),
    ])
    func formIsTheOneThatTheClientWouldHave(query: String, fields: [String], form: String) throws {
        let lines = ["GET /v1/writers\(query) HTTP/1.1", "Host: a"] + fields + ["", ""]
        let bytes = Array(lines.joined(separator: "\r\n").utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { return #expect(Bool(false)) }
        #expect(try ResponseForm(head).rawValue == form)
    }

    @Test func formThatThereIsNoneOfIsRefused() throws {
        let request = try head("GET", "/v1/writers?format=xml")
        let found = problem { _ = try ResponseForm(request) }
        #expect(found?.code == .invalidParameter && found?.parameter == "format" && found?.supported == ["json", "table"])
    }
}
