import StreamWriter
import SystemIO
import WriterModel

/// What one of a writer's outputs is to be, by the part of the request that is about it.
package struct PlannedOutput: Sendable {
    /// nil: the request names no outputs, and this is the only one.
    let request: OutputRequest?
    /// Of the writer that would have this output alone.
    let plan: WriterPlan

    var name: String { request?.name ?? RecordedOutput.onlyName }

    /// The first, or only, output of a writer.
    init(first plan: WriterPlan) {
        request = plan.request.outputs.first
        self.plan = plan
    }

    /// One beside the first.
    init(
        _ output: OutputRequest, _ request: CreateRequest, _ policy: OutputPolicy, _ others: OthersFolders, _ clientPolicy: ClientPolicy
    ) throws(Problem) {
        var request = request
        request.outputs = []
        self.request = output
        plan = try WriterPlan(request, policy: policy, others: others, clientPolicy: clientPolicy)
    }

    private init(_ request: OutputRequest?, _ plan: WriterPlan) { (self.request, self.plan) = (request, plan) }

    /// The same as far as a dry run goes.
    func foreseen() throws(Problem) -> PlannedOutput { PlannedOutput(request, try plan.foreseen()) }

    /// Runs `body`, whose problems are about the part of the request that names it.
    func locating<R>(at index: Int, _ body: () throws(Problem) -> R) throws(Problem) -> R {
        do throws(Problem) {
            return try body()
        } catch {
            throw request == nil ? error : error.located(at: "/outputs/\(index)")
        }
    }

    /// Its destination as it was made. `lines`: to the processes that write outputs; nil: this one does it all.
    func config(_ destination: Destination, _ lines: CarrierLines?) throws(Problem) -> OutputConfig {
        var config = OutputConfig(name: name, destination: destination, format: plan.muxer.name)
        config.bufferSize = plan.request.bufferSize
        config.opener = plan.opener()
        config.option = plan.openOption
        guard let request else { return config }
        config.apply(request)
        if request.reconnect { config.reconnect = try reconnecting(lines) }
        return config
    }

    private func reconnecting(_ lines: CarrierLines?) throws(Problem) -> @Sendable () throws(StreamWriterError) -> Destination {
        let destination: Destination
        switch plan.destination {
        case .url(let url): destination = .url(url, plan.request.uploadFields)
        case .device(let name): destination = .device(name)
        case .managed, .file, .files, .nowhere:
            throw Problem(.invalidParameter, "Only what is no file can be opened again.", parameter: "reconnect")
        }
        let (name, format, bufferSize) = (name, plan.muxer.name, plan.request.bufferSize)
        return { () throws(StreamWriterError) in
            try destination.reconnected(lines, output: name, format: format, bufferSize: bufferSize)
        }
    }
}

extension Destination {
    /// Written by a process that can reach nothing else; without lines by this one. `files`: of a muxer that makes its
    /// own.
    func carried(
        _ lines: CarrierLines?, output: String, format: String, bufferSize: Int?, files: CarriedFiles? = nil,
        for purpose: CarrierLines.Purpose = .ownOutput
    ) throws(SystemError) -> Destination {
        guard let lines else { return self }
        let upload = UploadTarget(url ?? "", option: [:])
        let kind: CarrierLines.Kind = files != nil ? .files : upload != nil ? .upload : .live
        let stall = lines.stall(of: kind)
        let store: String? = if case .object(let place) = upload { place.store } else { nil }
        let line = try lines.next(stall, to: store, for: purpose)
        return carried(over: line, format: format, bufferSize: bufferSize, files: files, output: output, stall: stall)
    }

    /// The same anew, for an output that broke.
    func reconnected(_ lines: CarrierLines?, output: String, format: String, bufferSize: Int?) throws(StreamWriterError) -> Destination {
        do throws(SystemError) {
            return try carried(lines, output: output, format: format, bufferSize: bufferSize)
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
        openTimeout = request.openTimeout
    }
}
