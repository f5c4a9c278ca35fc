import Libav

// What bounds how long a file may be.
extension StreamWriter {
    /// Before more is taken: what the container could not tell of would be lost.
    func requireRoom() throws(StreamWriterError) {
        guard let mostBytes, bytesWritten > mostBytes - Limits.bytesUnderWay else { return }
        throw StreamWriterError(
            .invalidSamples,
            "\(format.name) holds at most \(mostBytes) bytes, which are nearly there; finalize the writer and go on in another, or choose a container without that limit (w64, caf, matroska; wav with rf64=auto)")
    }
}
