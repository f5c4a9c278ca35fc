import Libav

// What the outputs are to the renditions of streams.
extension StreamWriter {
    /// The outputs that have a rendition, by its name; nil: the stream has no others.
    func holders(of rendition: String?, of stream: Int) -> [Output] { outputs.filter { $0.takes(rendition, of: stream) && !$0.isLeaving } }

    /// What the packets of a stream's renditions go to, once the outputs are open.
    func ways(of part: PreparedStream, _ fans: [PacketFan], _ segments: [OutputSegments]) -> [OpenStream.Way] {
        part.renditions.indices.map { place in
            let holders = holders(of: part.renditions[place].name, of: part.description.index)
            return OpenStream.Way(fan: fans[place], formats: holders.map(\.holding), segments: segments[place].found)
        }
    }

    /// Which pictures of a rendition are to be key frames, and the output and its options that say so; its first one's where none does.
    struct OutputSegments {
        let found: SegmentKeyFrames?
        let format: OutputFormat
        let option: [String: String]
    }

    /// By rendition: by the first of its outputs that makes segments.
    func segmentKeyFrames(of part: PreparedStream, _ option: [String: String]) -> [OutputSegments] {
        part.renditions.map { rendition in
            let index = part.description.index
            let holders = holders(of: rendition.name, of: index)
            let options = holders.map { $0 === outputs[0] ? option : $0.config.option ?? [:] }
            for (output, option) in zip(holders, options) {
                let isAligned = part.renditions.count { output.takes($0.name, of: index) } > 1
                if let found = rendition.segmentKeyFrames(of: output.format, option, isAligned: isAligned) {
                    return OutputSegments(found: found, format: output.format, option: option)
                }
            }
            return OutputSegments(found: nil, format: (holders.first ?? outputs[0]).format, option: options.first ?? option)
        }
    }
}
