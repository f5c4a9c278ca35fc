import Libav

extension PreparedStream {
    /// What the writer, opened with these options, asks of the stream's encoder; nil where it makes key frames by
    /// itself or of every picture, or the client has set them.
    func segmentKeyFrames(of format: OutputFormat, _ option: [String: String]) -> SegmentKeyFrames? {
        makesSegments && encoder.takesKeyFrames ? SegmentKeyFrames(of: format, option) : nil
    }

    var makesSegments: Bool {
        guard case .video = encoder.settings.input else { return false }
        return !encoder.settings.codec.isIntraOnly && !SegmentKeyFrames.areSet(in: encoder.settings)
    }

    /// The stream once the writer is open.
    func description(with segments: SegmentKeyFrames?, of format: OutputFormat, _ option: [String: String]) -> StreamDescription {
        var opened = description
        opened.keyFrames = segments?.spacing
        guard makesSegments, !encoder.takesKeyFrames, let wanted = SegmentKeyFrames(of: format, option)?.spacing else { return opened }
        let pictures = opened.encoderFrameRate.map { Int(($0.doubleValue * wanted.seconds).rounded()) } ?? 0
        opened.warnings.append(
            Warning(
                .segmentsUneven, parameter: "codec_config.gop_size",
                "\(opened.encoder) makes key frames by itself, where segments begin, and not every \(wanted.seconds) s (\(wanted.option)); codec_config.gop_size \(pictures) makes them so"))
        return opened
    }
}
