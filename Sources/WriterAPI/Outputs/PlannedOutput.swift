import StreamWriter
import SystemIO
import WriterModel

/// What one of a writer's outputs is to be, of those beside the first: a URL or a device, which a process of its own
/// writes to.
package struct PlannedOutput: Sendable {
    let request: OutputRequest
    let muxer: MuxerInfo
    let destination: Destination
    let option: [String: String]
    let opener: DestinationGuard

    init(
        _ output: OutputRequest, _ request: CreateRequest, _ policy: OutputPolicy, _ clientPolicy: ClientPolicy
    ) throws(Problem) {
        var request = request
        request.outputs = []
        let plan = try WriterPlan(request, policy: policy, clientPolicy: clientPolicy)
        switch plan.destination {
        case .url(let url): destination = .url(url)
        case .device(let name): destination = .device(name)
        case .managed, .file, .files, .nowhere:
            throw Problem(
                .invalidParameter,
                "Only the first of outputs may be a file here; the others are URLs or devices. Put the file first, or write the second one with a writer of its own.",
                parameter: "dst")
        }
        self.request = output
        muxer = plan.muxer
        option = plan.openOption ?? [:]
        opener = plan.opener()
    }

    /// `lines`: to the processes that write outputs; nil: this one does it all.
    func config(_ lines: CarrierLines?) throws(SystemError) -> OutputConfig {
        var config = OutputConfig(name: request.name, destination: try carried(lines), format: muxer.name)
        config.apply(request)
        config.opener = opener
        config.option = option
        if request.reconnect {
            let (destination, format, bufferSize) = (destination, muxer.name, request.bufferSize)
            config.reconnect = { () throws(StreamWriterError) in
                try destination.reconnected(lines, format: format, bufferSize: bufferSize)
            }
        }
        return config
    }

    private func carried(_ lines: CarrierLines?) throws(SystemError) -> Destination {
        try destination.carried(lines, format: muxer.name, bufferSize: request.bufferSize)
    }
}

extension Destination {
    /// Written by a process that can reach nothing else; without lines by this one.
    func carried(_ lines: CarrierLines?, format: String, bufferSize: Int?) throws(SystemError) -> Destination {
        guard let lines else { return self }
        return carried(over: try lines.next(), format: format, bufferSize: bufferSize, stallTime: lines.stallTime)
    }

    /// The same anew, for an output that broke.
    func reconnected(_ lines: CarrierLines?, format: String, bufferSize: Int?) throws(StreamWriterError) -> Destination {
        do throws(SystemError) {
            return try carried(lines, format: format, bufferSize: bufferSize)
        } catch {
            throw StreamWriterError(.destinationFailed, "no process can be had that would write to it: \(error.reason)")
        }
    }
}

extension OutputConfig {
    /// What a request says of it beside its destination.
    mutating func apply(_ request: OutputRequest) {
        bufferSize = request.bufferSize
        metadata = request.metadata
        streams = request.streams
        onFailure = request.onFailure
        whenSlow = request.whenSlow
        pace = request.pace
    }
}
