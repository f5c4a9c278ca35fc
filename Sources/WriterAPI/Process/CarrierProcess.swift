import Logging
import SystemIO
import WriterModel

/// The life of one carrier: writes one output for its writer's encoder, whose packets come on a socket of the two's own,
/// and ends when that does. It takes nothing from a client, has no codec, and reads nothing more of the gateway: one that
/// ends leaves it at its work.
enum CarrierProcess {
    /// How long the work may go on once the encoder is gone: what does not come back by then waits for a peer.
    private static let mostAfterHangUp = Duration.milliseconds(200)

    /// Serves until the work is done or the encoder has hung up; returns the process's exit code. Call it in a fresh
    /// process. `packets` is the carrier's end of the encoder's socket pair.
    static func run(
        _ settings: EncoderStart, gateway: MessageSocket, packets: consuming Descriptor, clientPolicy: ClientPolicy, log: Logger
    ) -> Int32 {
        guard ProcessGuards.areInPlace(settings, clientPolicy, of: "a carrier", log) else { return 1 }
        let line = SocketLine(owning: packets)
        // The gateway sees by its end that the process has ended.
        return withExtendedLifetime(gateway) {
            do throws(SystemError) {
                let confinement = try Confinement(settings)
                let uploads = CarrierUploads(authorities: Authorities.read(settings.caFile, log))
                try confinement.enter(keeping: [gateway.descriptor, line.descriptor])
                // A main thread that comes back by itself ends the process before.
                try HangUpWatch.start(on: line.descriptor, grace: mostAfterHangUp) {
                    uploads.end()
                    ChildProcess.exit(0)
                }
                let work = CarrierWork(settings: settings, clientPolicy: clientPolicy, uploads: uploads) { reaches throws(SystemError) in try confinement.narrow(to: reaches) }
                return work.serve(line)
            } catch {
                log.error("a carrier can't start", metadata: ["error": "\(error)"])
                return 1
            }
        }
    }
}
