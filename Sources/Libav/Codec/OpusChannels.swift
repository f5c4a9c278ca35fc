internal import CLibav
import Glibc

/// The order in which libopus is to be given 5 and 7 channels. libav's encoder takes a table of where each channel is found
/// for one of where it goes to, so that they come out as others'; of other numbers the two are the same. What is right is
/// found out with the libav at hand, by a sound in one channel after the other.
package enum OpusChannels {
    /// Of each channel that the encoder gets, the channel of the layout that is to be there. Nil where it can't be found out.
    package static func order(channels: Int) -> [Int]? {
        switch channels {
        case 5: five
        case 7: seven
        default: Array(0..<channels)
        }
    }

    private static let five = ordered("5.0")
    private static let seven = ordered("6.1")

    /// Where a channel comes out, there it belongs: whatever is given in its place.
    private static func ordered(_ layout: String) -> [Int]? {
        guard let layout = ChannelLayout(name: layout), let heard = try? Trial(layout).heard() else { return nil }
        return Set(heard).count == layout.channels ? heard : nil
    }

    private struct Trial {
        let shape: AudioShape
        let encoder: Encoder
        /// Packets for which a channel sounds.
        static let turn = 4

        init(_ layout: ChannelLayout) throws(LibavError) {
            shape = AudioShape(format: AudioFormat(name: "flt")!, layout: layout, sampleRate: 48_000)
            guard let codec = Codec(named: "libopus") else { throw .invalid("there is no libopus") }
            encoder = try Encoder(EncoderSettings(codec: codec, input: .audio(shape)))
        }

        /// The channel in which each is the loudest when it has been encoded and decoded.
        func heard() throws(LibavError) -> [Int] {
            let decoder = try decoder()
            var samples = [[Float]](repeating: [], count: shape.layout.channels)
            // One more, as they come out later.
            for block in 0...shape.layout.channels * Self.turn {
                try encoder.send(sound(in: block / Self.turn, at: block * encoder.frameSize))
                while case .packet(let packet) = try encoder.receive() {
                    try decoder.send(packet)
                    while let frame = try decoder.receive() { try add(frame, to: &samples) }
                }
            }
            let length = Self.turn * encoder.frameSize
            return (0..<shape.layout.channels).map { turn in
                let middle = turn * length + length / 3..<(turn + 1) * length
                let loudness = samples.map { channel in channel.dropFirst(middle.lowerBound).prefix(middle.count).reduce(0) { $0 + $1 * $1 } }
                return loudness.indices.max { loudness[$0] < loudness[$1] }!
            }
        }

        private func decoder() throws(LibavError) -> Decoder {
            let parameters = try allocated(avcodec_parameters_alloc(), "opening a decoder")
            defer {
                var parameters: UnsafeMutablePointer<AVCodecParameters>? = parameters
                avcodec_parameters_free(&parameters)
            }
            try check(avcodec_parameters_from_context(parameters, encoder.context), "opening a decoder")
            return try Decoder(parameters, named: "opus")
        }

        private func add(_ frame: Frame, to samples: inout [[Float]]) throws(LibavError) {
            guard frame.pointer.pointee.format == AV_SAMPLE_FMT_FLTP.rawValue, Int(frame.pointer.pointee.ch_layout.nb_channels) == samples.count else {
                throw .invalid("decoding: the channels are others")
            }
            for channel in samples.indices {
                guard let plane = frame.plane(channel) else { return }
                samples[channel] += UnsafeRawBufferPointer(start: plane, count: frame.sampleCount * 4).assumingMemoryBound(to: Float.self)
            }
        }

        private func sound(in channel: Int, at start: Int) throws(LibavError) -> Frame {
            let frame = try Frame()
            shape.apply(to: frame.pointer)
            frame.sampleCount = encoder.frameSize
            try check(av_frame_get_buffer(frame.pointer, 0), "allocating a frame")
            frame.pts = Int64(start)
            guard let samples = frame.plane(0)?.assumingMemoryBound(to: Float.self) else { return frame }
            for index in 0..<encoder.frameSize * shape.layout.channels {
                let isSounding = index % shape.layout.channels == channel
                samples[index] = isSounding ? 0.3 * sin(Float(start + index / shape.layout.channels) * 0.05) : 0
            }
            return frame
        }
    }
}
