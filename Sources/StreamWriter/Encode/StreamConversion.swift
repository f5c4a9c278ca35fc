import Libav

/// The way of a stream's frames to its encoders: through the client's filters once, then once into each form that
/// encoders take, and by reference to each of those that take it. On the thread that receives. One thread at a time.
final class StreamConversion {
    private let front: FilterPass?
    private let branches: [Branch]
    /// How long a picture is that comes out of `front`; nil for samples.
    private let frontTicks: Int64?
    private let isVideo: Bool

    /// What comes out of one converter, and where it goes.
    private final class Branch {
        let converter: FrameConverter
        var outlets: [Outlet]
        /// What the counters have of the converter's tally.
        var counted = (dropped: 0, repeated: 0)
        let inputTimeBase: Fraction
        let timeBase: Fraction

        init(_ branch: PreparedBranch, _ converter: FrameConverter, _ outlets: [Outlet]) {
            self.converter = converter
            self.outlets = outlets
            inputTimeBase = branch.plan.inputTimeBase
            timeBase = branch.plan.settings.timeBase
        }
    }

    private struct Outlet {
        let rendition: OpenRendition
        var requests = KeyFrameRequests()
        /// Nil where the client or the encoder says where key frames are.
        var segments: SegmentKeyFrames?

        /// Whether the picture that comes out is to be a key frame.
        mutating func isKeyFrame(_ frame: Frame, _ timeBase: Fraction) -> Bool {
            let isAskedFor = requests.leave(number: frame.tag, pts: frame.pts ?? .min)
            let beginsSegment = frame.pts.map { segments?.isDue($0, timeBase) == true } ?? false
            return isAskedFor || beginsSegment
        }
    }

    /// `segments`: by rendition.
    init(_ parts: PreparedStream, to renditions: [OpenRendition], _ segments: [SegmentKeyFrames?]) {
        let front = parts.front.map { FilterPass($0, parts.calls.filters) }
        self.front = front
        isVideo = parts.description.kind == .video
        frontTicks = parts.front?.pictureTicks
        branches = parts.branches.map { branch in
            Branch(
                branch, FrameConverter(branch, behind: front, parts.calls.filters),
                branch.renditions.map { Outlet(rendition: renditions[$0], segments: segments[$0]) })
        }
    }

    /// What the next picture becomes is to be a key frame, in this rendition.
    func askForKeyFrame(in rendition: OpenRendition) {
        for branch in branches {
            for place in branch.outlets.indices where branch.outlets[place].rendition === rendition {
                branch.outlets[place].requests.askForNext()
            }
        }
    }

    /// Converts a frame here and encodes it; on threads of the renditions' own if `overlaps`. With `moreFollows` what
    /// comes out may wait to be written.
    func encode(_ frame: Frame, overlaps: Bool, moreFollows: Bool) throws(StreamWriterError) {
        if isVideo { number(frame) }
        guard let front else {
            try enter(frame)
            return try submit(overlaps: overlaps, moreFollows: moreFollows)
        }
        try front.push(frame)
        try submitFiltered(front, overlaps: overlaps, moreFollows: moreFollows)
    }

    /// Empties the filters.
    func finish() throws(StreamWriterError) {
        if let front {
            try front.finish()
            try submitFiltered(front, overlaps: false)
        }
        for branch in branches { try branch.converter.finish() }
        try submit(overlaps: false)
    }

    func free() {
        for branch in branches { branch.converter.free() }
        front?.free()
    }

    /// Filters hand the number on, to what they make of the picture.
    private func number(_ picture: Frame) {
        for branch in branches {
            let pts = branch.inputTimeBase.rescale(picture.pts ?? 0, to: branch.timeBase)
            for place in branch.outlets.indices { picture.tag = branch.outlets[place].requests.enter(pts: pts) }
        }
        for branch in branches { branch.converter.note(picture) }
    }

    private func enter(_ frame: Frame) throws(StreamWriterError) {
        for branch in branches.dropLast() { try branch.converter.push(shared(frame)) }
        try branches.last?.converter.push(frame)
    }

    private func submitFiltered(_ front: FilterPass, overlaps: Bool, moreFollows: Bool = false) throws(StreamWriterError) {
        var count = 0
        while let frame = try front.next() {
            count += 1
            guard count <= Limits.framesOfOne else { throw .endlessFilters }
            if let frontTicks, frame.duration == 0 { frame.setDuration(frontTicks) }
            try enter(frame)
            try submit(overlaps: overlaps, moreFollows: moreFollows)
        }
    }

    private func submit(overlaps: Bool, moreFollows: Bool = false) throws(StreamWriterError) {
        for branch in branches { try submit(branch, overlaps: overlaps, moreFollows: moreFollows) }
    }

    /// One by one: filters may make more of one frame than there is memory for.
    private func submit(_ branch: Branch, overlaps: Bool, moreFollows: Bool) throws(StreamWriterError) {
        var count = 0
        while let frame = try branch.converter.next() {
            count += 1
            guard count <= Limits.framesOfOne else { throw .endlessFilters }
            let last = branch.outlets.count - 1
            for place in branch.outlets.indices {
                let own = place == last ? frame : try shared(frame)
                if isVideo { own.isKeyFrameWanted = branch.outlets[place].isKeyFrame(own, branch.timeBase) }
                try branch.outlets[place].rendition.pipeline.submit([own], overlaps: overlaps, moreFollows: moreFollows)
            }
        }
        let tally = branch.converter.tally
        for outlet in branch.outlets {
            outlet.rendition.counter.filtered(dropped: tally.dropped - branch.counted.dropped, repeated: tally.repeated - branch.counted.repeated)
        }
        branch.counted = (tally.dropped, tally.repeated)
    }

    private func shared(_ frame: Frame) throws(StreamWriterError) -> Frame {
        try translating(.outOfMemory) { () throws(LibavError) in try frame.reference() }
    }
}

extension FilterGraph {
    /// Of what comes out, unless it says so itself; nil for samples.
    fileprivate var pictureTicks: Int64? {
        guard case .video(var shape) = output, shape.frameRate.isPositive else { return nil }
        shape.timeBase = timeBase
        return shape.frameTicks
    }
}

extension StreamWriterError {
    fileprivate static let endlessFilters = StreamWriterError(
        .encodingFailed, "the filters made \(Limits.framesOfOne) frames of one and did not come to an end",
        parameter: "filter_desc")
}
