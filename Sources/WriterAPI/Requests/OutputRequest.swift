import Bytewise
import StreamWriter
import WriterModel

/// One of `outputs` in the body that creates a writer.
package struct OutputRequest: Sendable {
    package var name: String
    package var dst: String?
    package var format: String?
    package var bufferSize: Int?
    package var overwrite: Bool
    package var option: [String: String]
    /// nil: the writer's.
    package var metadata: [String: String]?
    /// nil: all.
    package var streams: [StreamSelection]?
    package var onFailure: OutputConfig.FailurePolicy
    package var whenSlow: OutputConfig.SlowPolicy
    package var pace: OutputConfig.Pace
    package var reconnect: Bool
    /// Seconds; nil: the server's.
    package var openTimeout: Double?
    /// Of a dst that is uploaded to.
    package var uploadFields: UploadFields

    /// A name is part of a path.
    private static let mostNameBytes = 64
    /// As the server's own.
    private static let mostOpenSeconds = 1e6

    /// Of a writer that was made without naming its outputs.
    init(firstOf request: CreateRequest) {
        name = RecordedOutput.onlyName
        (dst, format, bufferSize, overwrite) = (request.dst, request.format, request.bufferSize, request.overwrite)
        option = request.open?.option ?? [:]
        (onFailure, whenSlow, pace, reconnect) = (.fail, .wait, .none, false)
        uploadFields = request.uploadFields
    }

    package init(_ json: JSONValue, at pointer: String) throws(Problem) {
        var fields = try FieldReader(json, at: pointer, .other)
        name = ""
        if let given = try fields.string("name") { name = given } else { fields.lacks("name", "is needed") }
        dst = try fields.string("dst")
        format = try fields.string("format")
        bufferSize = try fields.count("buffer_size")
        overwrite = try fields.bool("overwrite") ?? false
        option = try fields.map("option") ?? [:]
        metadata = try fields.map("metadata")
        streams = try Self.streams(&fields)
        onFailure = try Self.choice("on_failure", &fields) ?? .fail
        whenSlow = try Self.choice("when_slow", &fields) ?? .wait
        pace = try Self.choice("pace", &fields) ?? .none
        reconnect = try fields.bool("reconnect") ?? false
        openTimeout = try fields.number("open_timeout")
        uploadFields = try UploadFields(&fields)
        try fields.finish()
        guard WriterID.isName(name), name.utf8.count <= Self.mostNameBytes else {
            throw fields.problem("name", "must be 1 to \(Self.mostNameBytes) of A-Z a-z 0-9 _ -")
        }
        if let openTimeout, !(openTimeout > 0 && openTimeout <= Self.mostOpenSeconds) {
            throw fields.problem("open_timeout", "must be a number of seconds above 0; leave it out for the server's (--open-timeout)")
        }
        if dst == nil && format == nil {
            throw fields.problem("format", "is needed when dst is not given: there is no name to tell it from")
        }
    }

    /// The operator's bound is everybody's.
    func requireOpenTimeout(within limits: ServiceLimits) throws(Problem) {
        guard let openTimeout, limits.openTimeout > 0, openTimeout > limits.openTimeout else { return }
        let most = ServiceLimits.text(limits.openTimeout)
        throw Problem(
            .limitExceeded, "open_timeout is \(ServiceLimits.text(openTimeout)), and opening a destination may take at most \(most) seconds on this server (--open-timeout).",
            parameter: "open_timeout", extras: [("limit", .number(limits.openTimeout))])
    }

    private static func choice<C: RawRepresentable & CaseIterable>(
        _ name: String, _ fields: inout FieldReader
    ) throws(Problem) -> C? where C.RawValue == String {
        guard let text = try fields.string(name) else { return nil }
        if let choice = C(rawValue: text) { return choice }
        throw fields.problem(name, "is none of its values", supported: C.allCases.map(\.rawValue))
    }

    /// "0", "0:hd", or a number.
    private static func streams(_ fields: inout FieldReader) throws(Problem) -> [StreamSelection]? {
        guard let values = try fields.array("streams") else { return nil }
        var selections: [StreamSelection] = []
        for value in values {
            guard let selection = selection(value) else {
                throw fields.problem("streams", "must be indexes of streams, as [\"0\", \"1\"], or renditions of theirs, as [\"0:hd\", \"1\"]")
            }
            if selections.contains(where: selection.overlaps) { throw fields.problem("streams", "names stream \(selection) twice") }
            selections.append(selection)
        }
        if selections.isEmpty { throw fields.problem("streams", "must name at least one stream; leave it out for all") }
        return selections
    }

    private static func selection(_ value: JSONValue) -> StreamSelection? {
        let text = value.stringValue ?? value.integerValue.map { "\($0)" } ?? ""
        let parts = text.parts(at: ":", most: 2)
        guard parts[0].utf8.allSatisfy(\.isASCIIDigit), let index = Int(parts[0]), index < ServiceLimits.mostStreams else { return nil }
        if parts.count == 1 { return StreamSelection(stream: index) }
        return WriterID.isName(parts[1]) ? StreamSelection(stream: index, rendition: parts[1]) : nil
    }
}

extension CreateRequest {
    /// How many tracks its first output has, or the only one.
    var trackCount: Int { streams.map(\.config).trackCount(in: outputs.first) }

    /// The same request for one of its outputs alone.
    func of(_ output: OutputRequest) -> CreateRequest {
        var request = self
        (request.dst, request.format, request.bufferSize) = (output.dst, output.format, output.bufferSize)
        request.overwrite = output.overwrite
        request.uploadFields = output.uploadFields
        request.metadata = output.metadata ?? metadata
        if request.open != nil { request.open = OpenRequest(option: output.option) }
        return request
    }

    /// The outputs beside the first, each as the request that it would be by itself.
    var besideFirst: [(output: OutputRequest, request: CreateRequest)] { outputs.dropFirst().map { ($0, alone($0)) } }

    /// The request that an output beside the first would be by itself. It opens with the writer, or later.
    func alone(_ output: OutputRequest) -> CreateRequest {
        var request = of(output)
        request.open = OpenRequest(option: output.option)
        return request
    }
}

extension [StreamConfig] {
    /// How many tracks an output has; without one, how many there are.
    func trackCount(in output: OutputRequest?) -> Int {
        let selections = output?.streams ?? indices.map { StreamSelection(stream: $0) }
        return selections.filter { indices.contains($0.stream) }.reduce(0) { count, selection in
            count + (selection.rendition == nil ? self[selection.stream].encodings.count : 1)
        }
    }
}
