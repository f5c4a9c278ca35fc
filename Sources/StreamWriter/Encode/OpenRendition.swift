import Libav
import Synchronization

/// A rendition of an open stream: its encoder's thread, and what is asked of it meanwhile. Any thread.
final class OpenRendition: Sendable {
    /// nil: the stream has no others.
    let name: String?
    let pipeline: EncodePipeline
    let counter: RenditionCounter
    let encoderName: String
    let takesKeyFrames: Bool
    let leastSamples: Int
    let sampleBound: Float?
    let rates: Mutex<RateControl>
    private let isKeyFrameAsked = Atomic(false)

    /// `formats`: of the containers that have it.
    init(
        _ parts: PreparedStream, _ place: Int, fan: PacketFan, progress: ProgressCounter, failure: FirstFailure, formats: [OutputFormat]
    ) {
        let rendition = parts.renditions[place]
        name = rendition.name
        counter = RenditionCounter(stream: progress, place: place)
        encoderName = rendition.description.encoder
        takesKeyFrames = rendition.encoder.takesKeyFrames
        leastSamples = rendition.leastSamples
        sampleBound = rendition.encoder.sampleBound
        rates = Mutex(rendition.encoder.rateControl)
        let isAudio = parts.description.kind == .audio
        pipeline = EncodePipeline(
            stage: EncodeStage(
                rendition, fan: fan, counter: counter, spansEnd: formats.contains { OutputFormat.movFamily.contains($0.name) }),
            counter: counter,
            failure: failure,
            capacity: isAudio ? Limits.queuedSampleBlocks : Limits.queuedFrames)
    }

    /// The next picture that goes to the encoder is to be a key frame.
    func askForKeyFrame() { isKeyFrameAsked.store(true, ordering: .relaxed) }

    func takeKeyFrameRequest() -> Bool {
        isKeyFrameAsked.load(ordering: .relaxed) && isKeyFrameAsked.exchange(false, ordering: .relaxed)
    }

    func requireKeyFrames() throws(StreamWriterError) {
        guard !takesKeyFrames else { return }
        throw StreamWriterError(
            .unsupportedValue,
            "\(encoderName) makes key frames by itself only, and none that it is asked for; leave keyframe out, set codec_config.gop_size, or choose another encoder",
            parameter: "keyframe")
    }
}
