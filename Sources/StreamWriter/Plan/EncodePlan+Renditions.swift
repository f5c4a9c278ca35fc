import Libav

// The conversions of a stream that has several renditions.
extension EncodePlan {
    /// Whether what the one makes of the stream's frames will do for the other as well.
    func converts(like other: EncodePlan) -> Bool {
        guard settings.hardwareFrames == nil, other.settings.hardwareFrames == nil else { return false }
        return settings.input == other.settings.input && (conversion == nil) == (other.conversion == nil)
            && (filtering == nil) == (other.filtering == nil) && filtering?.stages == other.filtering?.stages
            && filtering?.scaling == other.filtering?.scaling
    }

    /// The same for frames that have been through the client's filters. `frameSize`: samples in each frame that the encoder
    /// takes; 0: any number.
    func behind(_ front: FilterGraph, frameSize: Int) -> EncodePlan {
        guard let whole = filtering else { return self }
        var plan = self
        let given: MediaFormat
        let isChanged: Bool
        switch (front.output, input) {
        case (.video(var shape), .video(let source)):
            shape.timeBase = front.timeBase
            if !shape.frameRate.isPositive { shape.frameRate = source.frameRate }
            given = .video(shape)
            isChanged = !whole.stages.isEmpty
        case (let output, _):
            given = output
            isChanged = output != settings.input || frameSize > 0
        }
        plan.filtering = isChanged
            ? Filtering(
                input: given, description: nil, stages: whole.stages, limits: whole.limits, calls: whole.calls,
                sampleAspectRatio: front.sampleAspectRatio) : nil
        return plan
    }

    /// The same through filters that cut samples into other blocks.
    func reblocked(_ limits: WriterLimits, _ calls: CallTracker) -> EncodePlan {
        guard case .audio(let target) = settings.input else { return self }
        var plan = self
        plan.conversion = nil
        plan.filtering = Filtering(input: input, description: nil, stages: [.audio(target)], limits: limits, calls: calls)
        return plan
    }
}

extension EncodePlan.Filtering {
    /// The client's own filters alone.
    var shared: EncodePlan.Filtering {
        EncodePlan.Filtering(input: input, description: description, stages: [], limits: limits, calls: calls, scaling: scaling)
    }
}
