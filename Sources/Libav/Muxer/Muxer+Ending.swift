internal import CLibav
import Glibc

/// Its end: the trailer, and the destination's.
extension Muxer {
    private static let lastDelay = "final_delay"

    /// Ends the container and closes the destination.
    package func finish() throws(LibavError) {
        let isSilent = tallies.map { $0.packets == 0 }
        if let missing = KnownFaults.missingStream(in: format.name, isSilent: isSilent, isAudio: tallies.indices.map { !isVideo($0) }) {
            throw .invalid("writing the trailer of \(format.name): stream \(missing) has no packet, and each must have one")
        }
        try passEarly(moreFollows: false)
        tellLastDuration()
        let code = try unbroken(GuardedCall.writeTrailer(of: context), "writing the trailer of \(format.name)")
        try gate.check()
        try destinationSink?.check()
        // Some muxers refuse to end what they got no packet for; that is no failure of ours.
        if hasPackets { try check(code, "writing the trailer of \(format.name)") }
        try sendGathered()
        if ownsURL {
            ownsURL = false
            wait(settlingTime)
            try check(avio_closep(&context.pointee.pb), "closing the destination")
        }
        try finishSink()
        try output?.close()
    }

    /// Its own failure is the destination's.
    private func finishSink() throws(LibavError) {
        guard let sink = destinationSink else { return }
        countURLBytes()
        do throws(LibavError) {
            try sink.finish()
        } catch {
            gate.note(error)
            throw error
        }
    }

    /// Where a picture lasts until the next, an option says how long the last one does.
    private func tellLastDuration() {
        guard let ticks = lastDurations.first, ticks > 0, let stream = context.pointee.streams[0] else { return }
        let duration = av_mul_q(AVRational(num: Int32(clamping: ticks), den: 1), stream.pointee.time_base)
        switch format.name {
        case "gif":
            var given: Int64 = 0
            guard av_opt_get_int(context, Self.lastDelay, AV_OPT_SEARCH_CHILDREN, &given) >= 0, given < 0 else { return }
            let hundredths = av_rescale_q(1, duration, AVRational(num: 1, den: 100))
            av_opt_set_int(context, Self.lastDelay, min(hundredths, Int64(UInt16.max)), AV_OPT_SEARCH_CHILDREN)
        case "apng":
            var given = AVRational()
            guard av_opt_get_q(context, Self.lastDelay, AV_OPT_SEARCH_CHILDREN, &given) >= 0, given.num == 0 else { return }
            var delay = AVRational()
            _ = av_reduce(&delay.num, &delay.den, Int64(duration.num), Int64(duration.den), Int64(UInt16.max))
            av_opt_set_q(context, Self.lastDelay, delay, AV_OPT_SEARCH_CHILDREN)
        default: break
        }
    }

    private func wait(_ time: Duration) {
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline && !interruption.isRequested { usleep(10_000) }
    }
}
