import Foundation

extension EndToEnd.RefusalTests {
    /// A request that must be refused. `says` is what the detail, or libav's log beside it, must mention.
    struct Refusal: Sendable, CustomStringConvertible {
        let description: String
        let method: String
        let path: String
        let headers: [String]
        let body: Curl.Body
        let status: Int
        let code: String
        let says: [String]

        init(
            _ description: String, _ request: String, headers: [String] = [], body: Curl.Body = .none,
            gets status: Int, _ code: String, saying says: String...
        ) {
            self.description = description
            let words = request.split(separator: " ").map(String.init)
            (method, path) = (words[0], words[1])
            self.headers = headers
            self.body = body
            self.status = status
            self.code = code
            self.says = says
        }
    }

    static let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]
    private static let video: JSON = ["type": "video", "frame_rate": 25, "width": 64, "height": 48]

    private static func audio(_ member: String, _ value: JSON) -> Curl.Body {
        var stream = audio
        stream[member] = value
        return .json(stream)
    }

    private static func video(_ member: String, _ value: JSON) -> Curl.Body {
        var stream = video
        stream[member] = value
        return .json(stream)
    }

    /// Refused creations; none may leave a writer.
    static let creations: [Refusal] = [
        Refusal("no JSON", "POST /v1/writers", body: .text("{\"dst\":"), gets: 400, "malformed-json"),
        Refusal("no object", "POST /v1/writers", body: .text("[1]"), gets: 422, "invalid-parameter"),
        Refusal("no body", "POST /v1/writers", gets: 422, "invalid-parameter", saying: "format"),
        Refusal(
            "unknown member", "POST /v1/writers", body: .json(["format": "mp4", "colour": "red"]), gets: 422,
            "unknown-parameter", saying: "colour"),
        Refusal(
            "dst of a wrong type", "POST /v1/writers", body: .json(["dst": 7]), gets: 422, "invalid-parameter",
            saying: "dst"),
        Refusal(
            "metadata of a wrong type", "POST /v1/writers",
            body: .json(["format": "mp4", "metadata": ["title": ["a"]]]),
            gets: 422, "invalid-parameter", saying: "title"),
        Refusal(
            "unknown format", "POST /v1/writers", body: .json(["format": "mp5"]), gets: 422, "unknown-format",
            saying: "mp5"),
        Refusal(
            "neither dst nor format", "POST /v1/writers", body: .json([:]), gets: 422, "invalid-parameter",
            saying: "format"),
        Refusal(
            "dst above the folder", "POST /v1/writers", body: .json(["dst": "../x.mp4"]), gets: 403,
            "forbidden-destination", saying: "dst"),
        Refusal(
            "dst that is absolute", "POST /v1/writers", body: .json(["dst": "/tmp/x.mp4"]), gets: 403,
            "forbidden-destination", saying: "dst"),
        Refusal(
            "dst that exists", "POST /v1/writers",
            body: .json(["dst": "exists.wav", "streams": [audio], "open": true]), gets: 409, "destination-exists",
            saying: "exists.wav", "overwrite"),
        Refusal(
            "a stream that is refused", "POST /v1/writers",
            body: .json(["format": "mp4", "streams": [["type": "video", "encoder": "x264"]]]), gets: 422,
            "invalid-parameter"),
        Refusal(
            "open without streams", "POST /v1/writers", body: .json(["format": "mp4", "open": true]), gets: 422,
            "invalid-parameter", saying: "stream"),
        Refusal(
            "option that nothing takes", "POST /v1/writers",
            body: .json(["format": "wav", "streams": [audio], "open": ["option": ["movflags": "faststart"]]]),
            gets: 422, "unknown-option", saying: "movflags"),
        Refusal(
            "id with a character that is not allowed", "PUT /v1/writers/a.b", body: .json(["format": "wav"]), gets: 422,
            "invalid-parameter", saying: "A-Z a-z 0-9 _ -"),
        Refusal(
            "dst of a folder", "POST /v1/writers", body: .json(["dst": "d/x.wav/"]), gets: 422, "invalid-parameter", saying: "dst"),
        Refusal("empty dst", "POST /v1/writers", body: .json(["dst": ""]), gets: 422, "invalid-parameter", saying: "dst"),
        Refusal(
            "dst with a colon", "POST /v1/writers", body: .json(["dst": "a:b.wav"]), gets: 403, "forbidden-destination",
            saying: "\"a:\""),
        Refusal(
            "segments outside the folder of dst", "POST /v1/writers",
            body: .json(["dst": "e/b.m3u8", "streams": [video], "open": ["option": ["hls_segment_filename": "../sub/x%d.ts"]]]),
            gets: 403, "forbidden-option", saying: "such as \"x%d.ts\""),
        Refusal(
            "segments outside the folder of dst, dry run", "POST /v1/writers?dry_run=true",
            body: .json(["dst": "e/b.m3u8", "streams": [video], "open": ["option": ["hls_segment_filename": "../sub/x%d.ts"]]]),
            gets: 403, "forbidden-option", saying: "such as \"x%d.ts\""),
        Refusal(
            "qscale below zero", "POST /v1/writers",
            body: .json(["dst": "a.mp3", "streams": [audio.merging(["codec_config": ["qscale": -1]])]]), gets: 422,
            "invalid-parameter", saying: "0 to 9.999 for libmp3lame"),
        Refusal(
            "not JSON by its type", "POST /v1/writers", headers: ["Content-Type: text/plain"], body: .text("{}"),
            gets: 415, "unsupported-media-type", saying: "application/json"),
        Refusal(
            "compressed JSON", "POST /v1/writers", headers: ["Content-Encoding: gzip"], body: .text("{}"),
            gets: 415, "unsupported-media-type", saying: "Content-Encoding", "gzip"),
    ]

    /// Refused streams of a configuring mp4 writer.
    static let streams = refusedStreams.map {
        Refusal($0, "POST /v1/writers/configuring/streams", body: $1, gets: $2, $3, saying: $4)
    }

    private static let refusedStreams: [(String, Curl.Body, Int, String, String)] = [
        ("no type", .json(["sample_rate": 8_000]), 422, "invalid-parameter", "type"),
        ("unknown type", .json(["type": "subtitle"]), 422, "invalid-parameter", "audio or video"),
        ("no sample rate", .json(["type": "audio", "num_channels": 1]), 422, "invalid-parameter", "sample_rate"),
        ("unknown encoder", audio("encoder", "acc"), 422, "unknown-encoder", "acc"),
        ("encoder of the other type", audio("encoder", "libx264"), 422, "unsupported-value", "libx264"),
        ("unknown sample format", audio("format", "s24"), 422, "invalid-parameter", "s24"),
        ("unknown pixel format", video("format", "rgb42"), 422, "unsupported-value", "rgb42"),
        ("unknown layout", video("layout", "nhwc"), 422, "invalid-parameter", "nhwc"),
        ("member of the other type", audio("width", 64), 422, "unknown-parameter", "width"),
        ("unknown member", video("bitrate", 1_000), 422, "unknown-parameter", "bitrate"),
        (
            "unknown member of codec_config", audio("codec_config", ["gop_size": 5]), 422, "unknown-parameter",
            "gop_size"
        ),
        ("sample rate of zero", audio("sample_rate", 0), 422, "invalid-parameter", "sample_rate"),
        ("sample rate as text", audio("sample_rate", "8000"), 422, "invalid-parameter", "sample_rate"),
        ("half a width", video("width", 64.5), 422, "invalid-parameter", "width"),
        ("width below zero", video("width", -64), 422, "invalid-parameter", "width"),
        ("frame rate of zero", video("frame_rate", 0), 422, "invalid-parameter", "frame_rate"),
        ("frame rate over zero", video("frame_rate", "25/0"), 422, "invalid-parameter", "frame_rate"),
        ("unknown encoder option", video("encoder_option", ["cfr": "23"]), 422, "unknown-option", "cfr"),
        ("encoder format it can't take", video("encoder_format", "rgb24"), 422, "unsupported-value", "rgb24"),
        ("filter that does not exist", video("filter_desc", "scael=32:32"), 422, "invalid-filter", "scael"),
    ]

    /// Refused calls on writers "configuring", "open" and "closed".
    static let calls: [Refusal] = [
        Refusal("unknown id", "GET /v1/writers/nobody", gets: 404, "writer-not-found", saying: "nobody"),
        Refusal(
            "unknown id, chunk", "POST /v1/writers/nobody/streams/0/chunks", body: .bytes(Data(count: 2)), gets: 404,
            "writer-not-found", saying: "nobody"),
        Refusal("unknown id, delete", "DELETE /v1/writers/nobody", gets: 404, "writer-not-found", saying: "nobody"),
        Refusal("unknown path", "GET /v1/nothing", gets: 404, "not-found"),
        Refusal("unknown path of a writer", "GET /v1/writers/open/nothing", gets: 404, "not-found"),
        Refusal(
            "unknown stream", "POST /v1/writers/open/streams/3/chunks", body: .bytes(Data(count: 2)), gets: 404,
            "stream-not-found", saying: "3"),
        Refusal("method of the list", "DELETE /v1/writers", gets: 405, "method-not-allowed"),
        Refusal("method of a writer", "PATCH /v1/writers/open", gets: 405, "method-not-allowed"),
        Refusal(
            "method of a chunk", "PUT /v1/writers/open/streams/0/chunks", body: .bytes(Data(count: 2)), gets: 405,
            "method-not-allowed"),
        Refusal(
            "limit that is no number", "GET /v1/writers?limit=many", gets: 422, "invalid-parameter", saying: "limit"),
        Refusal(
            "state that does not exist", "GET /v1/writers?state=sleeping", gets: 422, "invalid-parameter",
            saying: "sleeping"),
        Refusal(
            "chunk before open", "POST /v1/writers/configuring/streams/0/chunks", body: .bytes(Data(count: 2)),
            gets: 409, "wrong-state", saying: "configuring", "open"),
        Refusal(
            "finalize before open", "POST /v1/writers/configuring/finalize", gets: 409, "wrong-state",
            saying: "configuring"),
        Refusal(
            "stream after open", "POST /v1/writers/open/streams", body: .json(audio), gets: 409, "wrong-state",
            saying: "open"),
        Refusal(
            "metadata after open", "PUT /v1/writers/open/metadata", body: .json(["title": "late"]), gets: 409,
            "wrong-state", saying: "open"),
        Refusal(
            "finalize with a parameter", "POST /v1/writers/open/finalize", body: .json(["x": 1]), gets: 422, "unknown-parameter",
            saying: "x"),
        Refusal(
            "finalize with a parameter, closed", "POST /v1/writers/closed/finalize", body: .json(["x": 1]), gets: 422,
            "unknown-parameter", saying: "x"),
        Refusal("second open", "POST /v1/writers/open/open", gets: 409, "wrong-state", saying: "open"),
        Refusal(
            "chunk after finalize", "POST /v1/writers/closed/streams/0/chunks", body: .bytes(Data(count: 2)), gets: 409,
            "wrong-state", saying: "closed"),
        Refusal(
            "half a sample", "POST /v1/writers/open/streams/0/chunks", body: .bytes(Data(count: 3)), gets: 400,
            "partial-frame", saying: "3", "2"),
        Refusal(
            "pts that is no number", "POST /v1/writers/open/streams/0/chunks?pts=soon", body: .bytes(Data(count: 2)),
            gets: 422, "invalid-parameter", saying: "pts"),
        Refusal(
            "pts before zero", "POST /v1/writers/open/streams/0/chunks?pts=-1", body: .bytes(Data(count: 2)), gets: 422,
            "invalid-parameter", saying: "pts"),
        Refusal(
            "pts in the past", "POST /v1/writers/open/streams/0/chunks?pts=0.5", body: .bytes(Data(count: 2)),
            gets: 409, "pts-too-early", saying: "1"),
        Refusal(
            "chunk of another type", "POST /v1/writers/open/streams/0/chunks", headers: ["Content-Type: text/plain"],
            body: .bytes(Data(count: 2)), gets: 415, "unsupported-media-type", saying: "application/octet-stream"),
        Refusal(
            "chunk that is compressed", "POST /v1/writers/open/streams/0/chunks", headers: ["Content-Encoding: gzip"],
            body: .bytes(Data(count: 2)), gets: 415, "unsupported-media-type", saying: "Content-Encoding", "gzip"),
        Refusal(
            "offset that is no number", "POST /v1/writers/open/streams/0/chunks", headers: ["Upload-Offset: x"],
            body: .bytes(Data(count: 2)), gets: 400, "invalid-header", saying: "Upload-Offset"),
        Refusal(
            "offset that is not the stream's", "POST /v1/writers/open/streams/0/chunks", headers: ["Upload-Offset: 5"],
            body: .bytes(Data(count: 2)), gets: 409, "offset-mismatch", saying: "16000"),
        Refusal(
            "id that is taken", "PUT /v1/writers/open", body: .json(["format": "mp4"]), gets: 409, "writer-exists",
            saying: "open"),
        Refusal(
            "another expectation", "GET /v1/writers/open", headers: ["Expect: a-miracle"], gets: 417,
            "expectation-failed"),
        Refusal(
            "range outside the output", "GET /v1/writers/closed/output", headers: ["Range: bytes=999999-"], gets: 416,
            "range-not-satisfiable"),
    ]
}
