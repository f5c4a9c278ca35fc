import APICore
import HTTP1
import HTTPServer
import SystemIO
import WriterModel

/// `GET …/output` while the writer lives: what is written is followed, or awaited when the
/// muxer goes back in it.
struct OutputRoute {
    let resource: WriterResource
    let writer: WriterID

    func answer(_ exchange: Exchange) throws(Problem) {
        guard let output = exchange.lasting({ resource.awaitOutput() }) else {
            throw Problem(.wrongState, "The writer failed or was deleted before it was opened.")
        }
        let file: OpenFile
        do throws(SystemError) {
            file = OpenFile(owning: try output.place.openForReading())
        } catch {
            throw Problem(.notFound, "The writer's output can't be read here: \(error.description).")
        }
        let waits = output.seeksBack
        if waits && exchange.head.method != .head && exchange.lasting({ output.growth.awaitEnd() }) == .bad {
            throw Problem(.wrongState, "The writer failed or was deleted; GET /v1/writers/\(writer) says why.")
        }
        let fields: [(name: String, value: String)] = [
            ("Content-Type", output.place.muxer.mimeType ?? ChunkBody.rawType),
            ("Content-Disposition", Response.contentDisposition(output.place.downloadName(of: writer))),
            ("Cache-Control", "no-store"),
            ("Penstock-Output", waits ? "after-finalize" : "live"),
        ]
        try? exchange.respondStreaming(.ok, fields: fields) { send in
            try OutputFollower(file: file, growth: output.growth).follow(send)
        }
    }
}
