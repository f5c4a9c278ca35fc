import Glibc

extension StreamWriter {
    /// A writer's whole life, its output thrown away, for what is made at first use. Starts no thread.
    package static func warmUpForFork(_ config: StreamConfig) throws(StreamWriterError) {
        let nowhere = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        if nowhere < 0 { return }
        let writer = try StreamWriter(destination: .file(descriptor: nowhere, name: "fork-warm-up.wav"), format: nil)
        let stream = try writer.addStream(config)
        try writer.setMetadata(["title": "fork-warm-up"])
        try writer.open()
        let chunk = try writer.beginChunk(stream: stream, pts: nil)
        let frames = [UInt8](repeating: 0, count: 64 * writer.description(of: stream).inputFrameBytes)
        let written = frames.withUnsafeBytes { bytes in Result { () throws(StreamWriterError) in try chunk.write(bytes) } }
        try written.get()
        _ = try chunk.finish()
        _ = try writer.close()
    }
}
