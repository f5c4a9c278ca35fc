import Bytewise
import HTTP1
import StreamWriter
import WriterModel

/// The query of `POST /v1/encode`: every stream parameter by its name, parts of an object with
/// a dot (`encoder_option.crf=23`, or `encoder_option[crf]=23`), and `sample_format` or `pixel_format` for the input's
/// format, because `format` is the output's.
package struct EncodeRequest {
    package let format: String
    package let stream: StreamRequest
    package let metadata: [String: String]
    package let option: [String: String]

    package init(_ target: RequestTarget) throws(Problem) {
        var fields = JSONObject()
        var metadata: [String: String] = [:]
        var option: [String: String] = [:]
        var format: String?
        var names: Set<ByteKey> = []
        for item in target.query {
            let parts = Self.parts(of: item.name)
            guard names.insert(ByteKey(parts.joined(separator: "."))).inserted else { throw Self.repeated(item.name) }
            switch (parts[0], parts.count) {
            case ("format", 1): format = item.value
            // Of the body: ChunkUpload reads it.
            case ("raw", 1): break
            case ("renditions", _):
                throw Problem(
                    .unsupportedValue, "renditions are for the streams of writers: an encoding in one request has one output of one encoder.",
                    parameter: "renditions")
            case ("sample_format", 1), ("pixel_format", 1): fields["format"] = .string(item.value)
            // A dictionary would keep one of two names that Unicode takes for the same.
            case ("metadata", 2) where metadata[parts[1]] == nil: metadata[parts[1]] = item.value
            case ("option", 2) where option[parts[1]] == nil: option[parts[1]] = item.value
            case ("metadata", 2), ("option", 2): throw Self.repeated(item.name)
            case (let object, 2):
                var nested = fields[object]?.objectValue ?? JSONObject()
                nested[parts[1]] = object == "codec_config" ? Self.value(item.value) : .string(item.value)
                fields[object] = .object(nested)
            default: fields[item.name] = Self.isText(item.name) ? .string(item.value) : Self.value(item.value)
            }
        }
        self.metadata = metadata
        if fields["type"] == nil {
            fields["type"] = .string(Self.isVideo(fields, target.query) ? "video" : "audio")
        }
        let isVideo = fields["type"] == "video"
        let pluses = QueryPluses(format: format, encoder: fields["encoder"]?.stringValue, isVideo: isVideo)
        self.option = pluses.restored(inMuxerOption: option)
        pluses.restore(in: &fields)
        let other = isVideo ? "sample_format" : "pixel_format"
        if names.contains(ByteKey(other)) {
            throw Problem(
                .unknownParameter, "\(other) is not for \(isVideo ? "video: its format is pixel_format" : "audio: its format is sample_format").",
                parameter: other)
        }
        do throws(Problem) {
            stream = try StreamRequest(.object(fields))
        } catch {
            throw error.namingQuery(isVideo: isVideo, target)
        }
        if stream.config.isKeptLive {
            throw Problem(
                .unsupportedValue, "fill and when_late are for the streams of writers: an encoding in one request waits for its one body.",
                parameter: stream.config.fill == nil ? "when_late" : "fill")
        }
        guard let format else {
            throw Problem(
                .invalidParameter, "The query parameter format is needed: the output's muxer, such as mp3.",
                parameter: "format")
        }
        self.format = format
    }

    /// By what only pictures have; also where it is written otherwise, if nothing is of samples.
    private static func isVideo(_ fields: JSONObject, _ query: [QueryItem]) -> Bool {
        if fields["width"] != nil || fields["frame_rate"] != nil { return true }
        let isOfSamples = fields["sample_rate"] != nil || fields["num_channels"] != nil || query.contains { $0.name.isSame(as: "sample_format") }
        return !isOfSamples && query.contains { ParameterSuggestion.isOfPictures($0.name) }
    }

    /// "encoder_option.crf", or, as generated clients have it, "encoder_option[crf]" (OpenAPI's deepObject).
    private static func parts(of name: String) -> [String] {
        if let inner = name.without(suffix: "]")?.cut(at: "["), !inner.before.holds(".") { return [inner.before, inner.after] }
        return name.parts(at: ".", most: 2)
    }

    private static func repeated(_ name: String) -> Problem {
        Problem(.invalidParameter, "\(name) is given more than once.", parameter: name)
    }

    /// Parameters whose value is text even when it looks like a number.
    private static func isText(_ name: String) -> Bool {
        [
            "channel_layout", "codec_tag", "color_primaries", "color_range", "color_trc", "colorspace", "content_light_level", "encoder",
            "encoder_format", "field_order", "fill", "filter_desc", "hw_accel", "language", "layout", "mastering_display", "type", "when_late",
        ].contains(name)
    }

    private static func value(_ text: String) -> JSONValue {
        if let integer = Int64(text) { return .integer(integer) }
        if let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }
}

extension Problem {
    /// The same, with the parameter as the query has it.
    fileprivate func namingQuery(isVideo: Bool, _ query: RequestTarget? = nil) -> Problem {
        var problem = self
        let pointer = extras.first { $0.name == "pointer" }?.value.stringValue
        problem.extras.removeAll { $0.name == "pointer" }
        if parameter == "format" { problem.parameter = isVideo ? "pixel_format" : "sample_format" }
        // Its one stream is what the container does not take.
        if parameter == "streams" { problem.parameter = "format" }
        guard let name = problem.parameter else { return problem }
        if code == .unknownParameter { return problem.unknownInQuery(name, isVideo: isVideo) }
        if let rule = pointer.flatMap({ detail.without(prefix: $0) }) {
            problem.detail = name + rule
        }
        // A query has nothing but text; which one tells more.
        if let value = query?.query(name), let rule = problem.detail.without(suffix: "and is a string.") {
            problem.detail = "\(rule)and is \(JSONValue.string(value).description)."
        }
        return problem
    }

    /// What is unknown is so among the query's names.
    private func unknownInQuery(_ name: String, isVideo: Bool) -> Problem {
        var problem = self
        problem.detail = "There is no query parameter \"\(name.shortened())\" here."
        let known = extras.first { $0.name == "did_you_mean" }?.value.stringValue
        problem.extras.removeAll { $0.name == "did_you_mean" }
        // Of a member of codec_config that is known already.
        if name.holds(".") { return problem.suggesting(value: known) }
        problem.supported = supported.map { names in
            (names.filter { !["format", "renditions"].contains($0) } + ["format", isVideo ? "pixel_format" : "sample_format", "option", "raw"]).sorted()
        }
        return problem.suggesting(ParameterSuggestion(for: name, at: .encodeQuery, known: problem.supported ?? []))
    }

    func namingQuery(of config: StreamConfig) -> Problem {
        if case .video = config { namingQuery(isVideo: true) } else { namingQuery(isVideo: false) }
    }
}
