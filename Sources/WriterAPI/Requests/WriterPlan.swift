import Bytewise
import StreamWriter
import WriterModel

/// What a writer is to be, by its request: which muxer writes to what. Made once, before anything else is, and
/// only of what the policy and the operator allow.
package struct WriterPlan: Sendable {
    package private(set) var request: CreateRequest
    package let muxer: MuxerInfo
    /// What it will be opened with; nil: that is said later.
    package private(set) var openOption: [String: String]?
    package let destination: DestinationPlan
    /// Of the outputs beside the first.
    private(set) var others: [PlannedOutput] = []
    let policy: OutputPolicy
    let clientPolicy: ClientPolicy

    /// `others`: folders that the writer has no part in.
    package init(
        _ request: CreateRequest, policy: OutputPolicy, others: OthersFolders = OthersFolders(), clientPolicy: ClientPolicy,
        mostOutputs: Int? = nil
    ) throws(Problem) {
        do throws(Problem) {
            try self.init(firstOf: request, policy, others, clientPolicy)
        } catch {
            throw request.outputs.isEmpty ? error : error.locatedInFirstOutput
        }
        if let most = mostOutputs, request.outputs.count > most {
            throw Problem(
                .limitExceeded, "A writer has at most \(most) outputs on this server (--max-outputs).", parameter: "outputs",
                extras: [("limit", .integer(Int64(most)))])
        }
        try UploadRules.checkReconnecting(request.outputs)
        for (index, beside) in request.besideFirst.enumerated() {
            do throws(Problem) {
                self.others.append(try PlannedOutput(beside.output, beside.request, policy, others, clientPolicy))
                try outputs[index + 1].requireOwnPlace(beside: outputs[...index])
            } catch {
                throw error.located(at: "/outputs/\(index + 1)")
            }
        }
    }

    /// Of the first output, or the only one.
    private init(firstOf request: CreateRequest, _ policy: OutputPolicy, _ others: OthersFolders, _ clientPolicy: ClientPolicy) throws(Problem) {
        // A path that is none has no extension to tell the format from.
        if clientPolicy == .enforced, request.format == nil, let dst = request.dst, URLParts(dst) == nil {
            try DestinationPlan.checkPath(dst)
        }
        let muxer = try Self.muxer(request.format, request.dst)
        try OptionPolicy(clientPolicy).check(request, for: muxer)
        self.init(
            request, muxer, try DestinationPlan(dst: request.dst, muxer: muxer, policy: policy, clientPolicy: clientPolicy),
            policy, clientPolicy)
        try UploadRules.check(request.uploadFields, muxer: muxer, destination)
        if let option = request.open?.option {
            let judge = OutputNameJudge(muxer: muxer.name, gate: opener())
            let resolved = try judge.resolve(option, streams: request.trackCount)
            self.request.open = OpenRequest(option: resolved)
            openOption = resolved
        }
        switch destination {
        case .file(let dst), .files(let dst): try others.check(dst)
        case .managed, .url, .device, .nowhere: break
        }
    }

    /// All of the writer's outputs, in their order.
    var outputs: [PlannedOutput] { [PlannedOutput(first: self)] + others }

    /// Of one encoding, whose output is a single file.
    package init(_ encoding: EncodeRequest, policy: OutputPolicy, clientPolicy: ClientPolicy) throws(Problem) {
        let muxer = try Self.muxer(encoding.format, nil)
        guard muxer.needsFile else {
            throw Problem(
                .invalidParameter, "\(muxer.name) writes no single file, which is all that one answer can carry.",
                parameter: "format")
        }
        let judge = OptionPolicy(clientPolicy)
        try judge.check(muxer)
        try judge.check(encoding.stream.config, for: muxer, destination: "")
        try judge.check(option: encoding.option, for: muxer)
        self.init(CreateRequest(encoding), muxer, .managed, policy, clientPolicy)
    }

    private init(
        _ request: CreateRequest, _ muxer: MuxerInfo, _ destination: DestinationPlan, _ policy: OutputPolicy,
        _ clientPolicy: ClientPolicy
    ) {
        self.request = request
        self.muxer = muxer
        self.destination = destination
        self.policy = policy
        self.clientPolicy = clientPolicy
    }

    private static func muxer(_ format: String?, _ dst: String?) throws(Problem) -> MuxerInfo {
        try asProblem { () throws(StreamWriterError) in try StreamWriter.resolveMuxer(format: format, name: dst ?? "") }
    }

    /// What the muxer may open.
    package func opener() -> DestinationGuard {
        DestinationGuard(plan: destination, policy: policy, clientPolicy: clientPolicy, folder: nil)
    }

    /// The same as far as a dry run goes: outputs are opened where creating would open them. What opens its destination itself
    /// is not opened, and what a URL's protocol would take of the options is not known without it.
    package func forDryRun() throws(Problem) -> WriterPlan {
        var plan = try outputs[0].locating(at: 0) { () throws(Problem) in try foreseen() }
        for (index, other) in others.enumerated() {
            plan.others[index] = try other.locating(at: index + 1) { () throws(Problem) in try other.foreseen() }
        }
        if !plan.outputs.contains(where: \.plan.isOpenedInDryRun) { plan.request.open = nil }
        return plan
    }

    /// Against a file, or nothing.
    var isOpenedInDryRun: Bool { muxer.needsFile || destination == .nowhere }

    func foreseen() throws(Problem) -> WriterPlan {
        let known = Set(Capabilities.muxer(named: muxer.name)?.options.map(\.name) ?? [])
        var plan = self
        if isOpenedInDryRun {
            guard case .url = destination else { return plan }
            plan.request.open?.option = request.open?.option.filter { known.contains($0.key) } ?? [:]
            plan.openOption = openOption?.filter { known.contains($0.key) }
        } else if let option = request.open?.option.keys.sorted().first(where: { !known.contains($0) }) {
            throw Problem(StreamWriterError.unknownOptions([option], ofMuxer: muxer.name))
        }
        return plan
    }

    /// "mp4", or what stands for no extension at all.
    package var fileExtension: String { muxer.extensions.first ?? "bin" }
}
