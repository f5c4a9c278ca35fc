import StreamWriter
import SystemIO
import WriterModel

/// What a carrier does with what its encoder sends: writes one output. The encoder is trusted no more than its client:
/// what it orders is judged again, by what the operator allows its writer.
struct CarrierWork {
    let settings: EncoderStart
    let clientPolicy: ClientPolicy
    let uploads: CarrierUploads
    /// To `.url`, `.device` or `.folder`, once that is known and before libav opens anything: all threads of the process, for good.
    let narrow: ([Confinement.Reach]) throws(SystemError) -> Void

    /// Serves the encoder at the other end of the line until its work is done or the encoder has ended. Returns the
    /// process's exit code.
    func serve(_ line: SocketLine) -> Int32 {
        let host = CarrierHost(line)
        _ = host.serve(judge: judge, refine: refine) { Interposition.whenAccepted($0) }
        uploads.end()
        return 0
    }

    private func judge(_ order: CarrierOrder) throws(StreamWriterError) -> CarrierHost.Place {
        let muxer = try StreamWriter.resolveMuxer(format: order.format, name: order.name)
        let plan: DestinationPlan
        do throws(Problem) {
            plan = try DestinationPlan(dst: order.name, muxer: muxer, policy: settings.policy, clientPolicy: clientPolicy)
            try OptionPolicy(clientPolicy).check(option: order.option, for: muxer)
        } catch {
            throw StreamWriterError(.destinationRefused, error.detail, parameter: error.parameter, supported: error.supported)
        }
        let (reaches, destination): ([Confinement.Reach], Destination)
        switch plan {
        case .url(let url) where UploadTarget(url, option: order.option) != nil:
            let target = UploadTarget(url, option: order.option)!
            let spool = KeptSpool(order, muxer: muxer.name, settings)
            reaches = [.url] + [spool?.folder].compactMap { $0.map { .spool($0) } }
            destination = .uploaded(url, by: try uploads.begin(target, order.uploadFields, muxer: muxer.name, spool, settings, clientPolicy))
        case .url(let url): (reaches, destination) = ([.url], .url(url))
        case .device(let name): (reaches, destination) = ([.device], .device(name))
        case .files(let dst): return try folder(of: dst, order, plan)
        case .managed, .file, .nowhere:
            throw StreamWriterError(.destinationRefused, "\(muxer.name) at that dst is no output that is written by a process of its own", parameter: "dst")
        }
        do throws(SystemError) {
            if clientPolicy == .absent { try Directory(path: settings.outputDirectory).enter() }
            try narrow(reaches)
        } catch {
            throw StreamWriterError(.destinationFailed, "its process can't be confined to it: \(error.description)")
        }
        return .init(destination, opener: DestinationGuard(plan: plan, policy: settings.policy, clientPolicy: clientPolicy, folder: nil))
    }

    private func refine(_ error: StreamWriterError) -> StreamWriterError { AddressGate.refine(error) }
}

extension AddressGate {
    /// A lookup that was refused says better why nothing was found.
    static func refine(_ error: StreamWriterError) -> StreamWriterError {
        guard error.code == .destinationFailed, let refusal = AddressGate.shared.refusal else { return error }
        return StreamWriterError(.destinationRefused, refusal, parameter: "dst", libavError: error.libavError, log: error.log)
    }
}
