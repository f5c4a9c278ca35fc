import StreamWriter
import Threading
import WriterModel

// What is asked of a writer that is open, also while its streams take chunks.
extension WriterResource {
    /// The next picture of the stream, or of each video stream, is to be a key frame; in one rendition, or in all.
    package func requestKeyFrame(ofStream index: Int?, rendition: String? = nil) throws(Problem) -> JSONObject {
        let writer = try openWriter(stream: index)
        let streams = try asProblem { () throws(StreamWriterError) in try writer.requestKeyFrame(ofStream: index, rendition: rendition) }
        return ["streams": .array(streams.map { .integer(Int64($0)) })]
    }

    /// Another bit rate for a stream's encoder, or for that of one of its renditions; the stream as it is then.
    package func changeStream(_ index: Int, rendition: String? = nil, _ body: JSONValue?) throws(Problem) -> JSONValue {
        let writer = try openWriter(stream: index)
        let wanted = try StreamChange(body ?? .null).rate
        let change = try asProblem { () throws(StreamWriterError) in
            try writer.changeBitRate(ofStream: index, rendition: rendition, to: wanted)
        }
        let shown = state.withLock { state in
            let config = state.streams[index].config.changed(to: change, rendition: rendition)
            let stream = AddedStream(config: config, chosen: state.streams[index].chosen)
            state.streams[index] = stream
            return StreamRequest.json(stream.config, stream.chosen, writer.progress(of: index))
        }
        report(.snapshot(snapshot))
        return shown
    }

    func openWriter(stream index: Int?) throws(Problem) -> StreamWriter {
        try state.withLock { state throws(Problem) in
            guard state.lifecycle.takesChunks, let writer = state.parts?.writer else {
                throw state.lifecycle.problem(.wrongStateForThis, needs: "this needs an open one")
            }
            if let index, !state.streams.indices.contains(index) { throw .noStream(String(index), of: settings.writer) }
            state.noteRequest()
            return writer
        }
    }
}
