import Logging
import StreamWriter
import SystemIO
import Uploads
import WriterModel

/// The life of a process that sends what is kept of an output, once: it has the file, the network as far as the output's
/// carrier had it, and nothing else. What came of it the gateway is told.
enum RetryProcess {
    /// Returns the process's exit code. Call it in a fresh process.
    static func run(
        _ settings: EncoderStart, gateway: MessageSocket, spool: consuming Descriptor, clientPolicy: ClientPolicy, log: Logger
    ) -> Int32 {
        guard let order = settings.retry, ProcessGuards.areInPlace(settings, clientPolicy, of: "a retry", log) else { return 1 }
        let file = SpoolFile(owning: spool.take())
        do throws(SystemError) {
            let confinement = try Confinement(settings)
            let uploads = CarrierUploads(authorities: Authorities.read(settings.caFile, log))
            try confinement.enter(keeping: [gateway.descriptor, file.number])
            try HangUpWatch.start(on: gateway.descriptor, grace: .zero) {
                uploads.end()
                ChildProcess.exit(0)
            }
            _ = gateway.send(report(order, file, uploads, settings, clientPolicy).encoded)
            return 0
        } catch {
            log.error("what is kept of an output can't be sent", metadata: ["error": "\(error)"])
            return 1
        }
    }

    private static func report(
        _ order: RetryOrder, _ file: SpoolFile, _ uploads: CarrierUploads, _ settings: EncoderStart, _ clientPolicy: ClientPolicy
    ) -> RetryReport {
        do throws(Problem) {
            try send(order, file, uploads, settings, clientPolicy)
            return .sent
        } catch {
            var problem = Redaction(destination: order.destination, options: [order.option]).apply(to: error)
            let shown = URLText.redacted(destination: order.destination)
            if problem.code == .destinationFailed, !problem.detail.contains(shown) { problem.detail = "\(shown): \(problem.detail)" }
            return .failed(problem.code, detail: problem.detail, parameter: problem.parameter)
        }
    }

    private static func send(
        _ order: RetryOrder, _ file: SpoolFile, _ uploads: CarrierUploads, _ settings: EncoderStart, _ clientPolicy: ClientPolicy
    ) throws(Problem) {
        let muxer = try asProblem { () throws(StreamWriterError) in try StreamWriter.resolveMuxer(format: order.format, name: order.destination) }
        let plan = try DestinationPlan(dst: order.destination, muxer: muxer, policy: settings.policy, clientPolicy: clientPolicy)
        guard case .url(let url) = plan, let target = UploadTarget(url, option: [:]) else {
            throw Problem(.internalError, "What is kept of the output is for no place that is uploaded to.")
        }
        try asProblem { () throws(StreamWriterError) in
            do throws(StreamWriterError) {
                let sinks = try uploads.begin(target, UploadFields(order), muxer: muxer.name, nil, settings, clientPolicy)
                var option = order.option
                try sinks.prepare(&option, of: .spooled, timeout: nil)
                if let name = option.keys.sorted().first {
                    throw StreamWriterError(.unknownOption, "the option \(name.shortened()) is none of an upload", parameter: "option.\(name)")
                }
                do throws(SinkFailure) { try sinks.send(file) } catch {
                    throw StreamWriterError(error.isForbidden ? .destinationRefused : .destinationFailed, error.reason)
                }
            } catch {
                throw AddressGate.refine(error)
            }
        }
    }
}

extension UploadFields {
    fileprivate init(_ order: RetryOrder) {
        self.init()
        (contentType, cacheControl) = (order.contentType, order.cacheControl)
        (storageClass, objectMetadata) = (order.storageClass, order.objectMetadata)
    }
}
