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

    private static let chunkBytes = 64 * 1_024
    /// How long new bytes may go unnoticed.
    private static let pollInterval = Duration.milliseconds(10)

    func answer(_ exchange: Exchange) throws(Problem) {
        guard let place = resource.place, case .alive(let state) = resource.phase, state != .configuring else {
            throw Problem(
                .wrongState, "The writer is configuring; there is output once it is open: POST …/open.",
                extras: [("state", .string(WriterState.configuring.rawValue))])
        }
        let file: OpenFile
        do throws(SystemError) {
            file = OpenFile(owning: try place.openForReading())
        } catch {
            throw Problem(.notFound, "The writer's output is gone: \(error.description).")
        }
        if place.muxer.seeksBack {
            guard case .ended? = resource.awaitEnd(until: .never) else {
                throw .noWriter(writer.text)
            }
        }
        let fields: [(name: String, value: String)] = [
            ("Content-Type", place.muxer.mimeType ?? "application/octet-stream"), ("Cache-Control", "no-store"),
        ]
        try? exchange.respondStreaming(.ok, fields: fields) { send throws(Exchange.Failure) in
            try follow(file, send)
        }
    }

    private func follow(
        _ file: OpenFile, _ send: (UnsafeRawBufferPointer) throws(Exchange.Failure) -> Void
    ) throws(Exchange.Failure) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        var position: UInt64 = 0
        while true {
            // Asked before the read: bytes written in between are found by the next round.
            let hasEnded = resource.awaitEnd(until: .after(.zero)) != nil
            let count = file.read(into: buffer, at: position)
            if count > 0 {
                try send(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                position += UInt64(count)
            } else if hasEnded {
                return
            } else {
                _ = resource.awaitEnd(until: .after(Self.pollInterval))
            }
        }
    }
}
