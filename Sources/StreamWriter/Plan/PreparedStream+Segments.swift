import Libav

extension PreparedRendition {
    /// What the writer, opened with these options, asks of the encoder; nil where it makes key frames by itself or of
    /// every picture, or the client has set them. `isAligned`: the container has other renditions of the stream, whose
    /// segments begin at the same times whatever else is set.
    func segmentKeyFrames(of format: OutputFormat, _ option: [String: String], isAligned: Bool) -> SegmentKeyFrames? {
        makesSegments(isAligned: isAligned) && encoder.takesKeyFrames ? SegmentKeyFrames(of: format, option) : nil
    }

    func makesSegments(isAligned: Bool) -> Bool {
        guard case .video = encoder.settings.input, !encoder.settings.codec.isIntraOnly else { return false }
        return isAligned || !SegmentKeyFrames.areSet(in: encoder.settings)
    }

    /// The rendition once the writer is open.
    fileprivate func description(with segments: StreamWriter.OutputSegments) -> RenditionDescription {
        var opened = description
        opened.keyFrames = segments.found?.spacing
        guard makesSegments(isAligned: false), !encoder.takesKeyFrames,
            let wanted = SegmentKeyFrames(of: segments.format, segments.option)?.spacing
        else { return opened }
        let pictures = opened.encoderFrameRate.map { Int(($0.doubleValue * wanted.seconds).rounded()) } ?? 0
        opened.warnings.append(
            Warning(
                .segmentsUneven, parameter: "codec_config.gop_size",
                "\(opened.encoder) makes key frames by itself, where segments begin, and not every \(wanted.seconds) s (\(wanted.option)); codec_config.gop_size \(pictures) makes them so"))
        return opened
    }
}

extension PreparedStream {
    /// The stream once the writer is open. `segments`: by rendition.
    func description(with segments: [StreamWriter.OutputSegments]) -> StreamDescription {
        var opened = description
        opened.renditions = zip(renditions, segments).map { $0.description(with: $1) }
        return opened
    }
}
