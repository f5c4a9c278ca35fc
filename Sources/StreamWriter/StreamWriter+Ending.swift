import Libav

// How streams end beside each other.
extension StreamWriter {
    /// Fills up the streams that end before others, in containers that would leave out what is beyond the shortest.
    /// Refuses that where it would be too much; more may be sent then.
    func levelEnds() throws(StreamWriterError) {
        for output in outputs where !output.isLeaving { try levelEnds(of: output) }
    }

    private func levelEnds(of output: Output) throws(StreamWriterError) {
        let ending = KnownFaults.ending(of: output.format.name)
        let streams = output.streams(of: self.streams.count).map { self.streams[$0] }
        guard ending != .apart, streams.count > 1, streams.contains(where: { $0.progress.current.frames > 0 }) else { return }
        var end = streams.map(\.endPTS).max() ?? 0
        // In whole pictures, so that sound ends with one.
        if let pictures = streams.first(where: \.isVideo) { end = pictures.wholePictures(upTo: end) }
        let short = streams.filter { ending == .together || $0.isVideo }
        for stream in short { try requireLevel(stream, at: end, in: output.format) }
        for stream in short { try stream.fill(upTo: stream.tick(end)) }
    }

    private func requireLevel(_ stream: OpenStream, at end: Double, in format: OutputFormat) throws(StreamWriterError) {
        let lacking = end - stream.endPTS
        guard stream.isVideo && stream.progress.current.frames == 0 || lacking > stream.mostFilled else { return }
        throw StreamWriterError(
            .invalidSamples,
            "stream \(stream.index) ends at \(stream.endPTS) s and another at \(end) s; \(format.name) leaves out what is beyond the shortest, and up to \(stream.mostFilled) s behind a frame can be filled; send more of stream \(stream.index), or choose another container (matroska, mov)")
    }
}

extension StreamWriter {
    /// Before more is taken: what the container could not tell of would be lost.
    func requireRoom() throws(StreamWriterError) {
        for output in outputs where !output.isLeaving {
            if let mostBytes = output.mostBytes, output.bytesWritten > mostBytes - Limits.bytesUnderWay { throw Self.full(output, mostBytes) }
        }
    }

    private static func full(_ output: Output, _ mostBytes: Int64) -> StreamWriterError {
        StreamWriterError(
            .invalidSamples,
            "\(output.format.name) holds at most \(mostBytes) bytes, which are nearly there; finalize the writer and go on in another, or choose a container without that limit (w64, caf, matroska; wav with rf64=auto)")
    }
}

extension StreamWriter {
    /// Before more is taken: what waits for other streams can't be written without them.
    func requireOthers(beside stream: OpenStream) throws(StreamWriterError) {
        for output in holders(of: stream.index) {
            guard KnownFaults.ending(of: output.format.name) != .apart, output.heldBytes > Limits.heldBytes / 4 * 3,
                let behind = output.streams(of: streams.count).map({ streams[$0] }).min(by: { $0.endPTS < $1.endPTS }),
                behind.endPTS < stream.endPTS
            else { continue }
            throw StreamWriterError(
                .invalidSamples,
                "\(output.format.name) holds streams side by side, and stream \(stream.index) is at \(stream.endPTS) s where stream \(behind.index) is at \(behind.endPTS) s; send more of stream \(behind.index) first")
        }
    }
}

extension OpenStream {
    /// The end of the first picture that does not end before this time.
    func wholePictures(upTo end: Double) -> Double {
        seconds(Int64((end * Double(assembler.rate.numerator) / Double(assembler.rate.denominator) - 1e-6).rounded(.up)))
    }
}
