internal import CLibav

/// What every audio frame of a stream has in common.
package struct AudioShape: Sendable, Equatable {
    package let format: AudioFormat
    package let layout: ChannelLayout
    package let sampleRate: Int

    package init(format: AudioFormat, layout: ChannelLayout, sampleRate: Int) {
        self.format = format
        self.layout = layout
        self.sampleRate = sampleRate
    }

    /// Bytes of one sample of every channel, interleaved.
    package var bytesPerFrame: Int { layout.channels * format.bytesPerSample }

    func apply(to frame: UnsafeMutablePointer<AVFrame>) {
        frame.pointee.format = format.id.rawValue
        frame.pointee.sample_rate = Int32(sampleRate)
        frame.pointee.ch_layout = layout.layout
    }
}
