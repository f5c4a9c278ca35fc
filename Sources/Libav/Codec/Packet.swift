internal import CLibav

/// Encoded bytes of one stream, with their timestamps.
package final class Packet: @unchecked Sendable {
    // Unchecked: handed from one thread to the next through locked queues, never shared.
    let pointer: UnsafeMutablePointer<AVPacket>

    package init() throws(LibavError) {
        pointer = try allocated(av_packet_alloc(), "allocating a packet")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVPacket>? = pointer
        av_packet_free(&pointer)
    }

    package var pts: Int64? {
        get { pointer.pointee.pts == clibav_no_pts ? nil : pointer.pointee.pts }
        set { pointer.pointee.pts = newValue ?? clibav_no_pts }
    }

    package var dts: Int64? {
        get { pointer.pointee.dts == clibav_no_pts ? nil : pointer.pointee.dts }
        set { pointer.pointee.dts = newValue ?? clibav_no_pts }
    }

    package var duration: Int64 {
        get { pointer.pointee.duration }
        set { pointer.pointee.duration = newValue }
    }

    package var stream: Int {
        get { Int(pointer.pointee.stream_index) }
        set { pointer.pointee.stream_index = Int32(newValue) }
    }

    /// Whether decoding can begin at it.
    package var isKey: Bool { pointer.pointee.flags & AV_PKT_FLAG_KEY != 0 }

    package var byteCount: Int { Int(pointer.pointee.size) }

    /// A time that this would take out of range is none any more.
    func shift(by ticks: Int64) {
        func shifted(_ time: Int64) -> Int64? {
            let (sum, overflows) = time.addingReportingOverflow(ticks)
            return overflows ? nil : sum
        }
        pts = pts.flatMap(shifted)
        dts = dts.flatMap(shifted)
    }

    /// Leaves no time before it for packets of other streams to be at. A picture is shown when it was to be; of
    /// sound it is the samples that the encoder puts before the first.
    func beginAtZero(isVideo: Bool) {
        guard let dts, dts > 0 else { return }
        self.dts = 0
        if !isVideo { pts = 0 }
    }

    /// Moves the timestamps from one time base to another.
    package func rescale(from: Fraction, to: Fraction) {
        av_packet_rescale_ts(pointer, from.rational, to.rational)
    }
}
