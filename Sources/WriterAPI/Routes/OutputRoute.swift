import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// `GET …/output`, and `…/outputs/{name}`, while the writer lives: what is written is followed, or awaited when the
/// muxer goes back in it.
struct OutputRoute {
    let resource: WriterResource
    let writer: WriterID
    /// nil: the first.
    var name: String?

    /// Responds now, or when there is something to respond with; no thread waits for that.
    func respond(to exchange: Exchange) throws(Problem) {
        // Asked before the state: what changes in between is told of.
        let growth = resource.growth(ofOutput: name)
        let (version, end) = growth.current
        switch try resource.output(named: name) {
        case .awaited: waitForChange(exchange, of: growth, since: version)
        case .none:
            throw Problem(.wrongState, "The writer failed or was deleted before it was opened.")
        case .there(let output):
            // HEAD asks for nothing that is still to be written.
            let needsEnd = output.seeksBack && exchange.head.method != .head
            if needsEnd && end == nil {
                // What has been replaced will not be the writer's at its end either.
                try output.place.checkKept()
                return waitForChange(exchange, of: growth, since: version)
            }
            if needsEnd && end == .failed {
                throw Problem(.wrongState, "The writer failed or was deleted; GET /v1/writers/\(writer) says why.")
            }
            try follow(output, exchange)
        }
    }

    private func waitForChange(_ exchange: Exchange, of growth: OutputNotifier, since version: Int) {
        exchange.wait(until: .never, for: { growth.whenChanged(since: version, $0) }) {
            exchange, wake in
            if wake == .clientGone { return }
            do throws(Problem) {
                try respond(to: exchange)
            } catch {
                exchange.respond(with: resource.redacted(error))
            }
        }
    }

    private func follow(_ output: WriterResource.Output, _ exchange: Exchange) throws(Problem) {
        let file = try output.place.openForReading()
        let fields: [(name: String, value: String)] = [
            ("Content-Type", output.type.mediaType ?? ChunkBody.rawType),
            ("Content-Disposition", Response.contentDisposition(output.place.downloadName(of: writer, output.type))),
            ("Cache-Control", "no-store"),
            ("Penstock-Output", output.seeksBack ? "after-finalize" : "live"),
            (Response.stateField, resource.phase.state.rawValue),
        ]
        try? exchange.respond(.ok, fields: fields, following: file, output.growth)
    }
}
