import Bytewise
import Libav
import Threading

// What may be asked of a writer that is open, whatever is under way.
extension StreamWriter {
    /// Has the next picture of a stream, or of every video stream, be a key frame, in all renditions or in one; which streams
    /// that are. None where one of them can't. Any thread, without waiting.
    @discardableResult
    public func requestKeyFrame(ofStream index: Int? = nil, rendition name: String? = nil) throws(StreamWriterError) -> [Int] {
        let asked: [OpenStream]
        if let index { asked = [try openStream(index)] } else { asked = try openStreams().filter(\.isVideo) }
        guard !asked.isEmpty else {
            throw StreamWriterError(.unsupportedValue, "the writer has no video stream, and key frames are of video only", parameter: "stream")
        }
        guard index != nil || name == nil else {
            throw StreamWriterError(.invalidParameter, "rendition is of one stream: name that in stream as well", parameter: "rendition")
        }
        var renditions: [OpenRendition] = []
        do throws(StreamWriterError) {
            for stream in asked {
                guard let name else {
                    try stream.requireKeyFrames()
                    renditions += stream.renditions
                    continue
                }
                renditions.append(try stream.rendition(name))
                try stream.requireKeyFrames(in: renditions)
            }
        } catch {
            var error = error
            if error.parameter != "rendition" { error.parameter = "stream" }
            throw error
        }
        for rendition in renditions { rendition.askForKeyFrame() }
        return asked.map(\.index)
    }

    /// Gives a stream's encoder another bit rate, from the next frame on that it is given; what changes with it. Where the
    /// stream has several renditions, that of the one of this name. Any thread, without waiting.
    @discardableResult
    public func changeBitRate(
        ofStream index: Int, rendition name: String? = nil, to change: BitRateChange
    ) throws(StreamWriterError) -> BitRateChange {
        let stream = try openStream(index)
        let rendition = try stream.rendition(name)
        return try rendition.rates.withLock { control throws(StreamWriterError) in
            let rate = try control.rate(after: change, of: rendition.encoderName, isVideo: stream.isVideo)
            var made = change
            if rate.maxRate != control.rate.maxRate { made.encoderOption["maxrate"] = String(rate.maxRate) }
            control.rate = rate
            // With the lock, so that the last that was asked for is the last that the encoder gets.
            rendition.pipeline.change(to: rate)
            return made
        }
    }

    private func openStreams() throws(StreamWriterError) -> [OpenStream] {
        try monitor.withLock { () throws(StreamWriterError) in
            try requireState(.open)
            return streams
        }
    }

    private func openStream(_ index: Int) throws(StreamWriterError) -> OpenStream {
        let streams = try openStreams()
        guard streams.indices.contains(index) else {
            throw StreamWriterError(
                .noSuchStream, "the writer has no stream \(index)", parameter: "stream", supported: streams.indices.map { "\($0)" })
        }
        return streams[index]
    }

    // MARK: Filling

    /// Has the streams filled that are to be, once the writer is open.
    func startFilling() {
        filling = StreamFilling(streams, failure: failure, isLive: outputs.contains { $0.destination.isLive })
        guard let filling, filling.goesByClock else { return }
        do throws(SystemThread.Unavailable) {
            // It holds no writer while it waits: one that is let go of ends it.
            try SystemThread.start(name: "fill") { [weak self] in
                while let next = filling.nextLook {
                    filling.wait(until: next)
                    guard let writer = self, writer.fillByClock(filling) else { return }
                }
            }
        } catch {
            failure.record(StreamWriterError(.outOfMemory, "the system has no thread to fill the streams"))
        }
    }

    /// False: the writer is not open any more.
    private func fillByClock(_ filling: StreamFilling) -> Bool {
        (try? changing(.open) { () throws(StreamWriterError) in try filling.fillByClock() }) != nil
    }
}

extension RateControl {
    /// What the encoder is to hold to; throws what it can't.
    fileprivate func rate(after change: BitRateChange, of encoderName: String, isVideo: Bool) throws(StreamWriterError) -> EncoderRate {
        if let obstacle {
            throw StreamWriterError(
                .unsupportedValue, "the encoder \(encoderName) \(obstacle)\(isFixed ? "" : "; its rate can't be changed now")",
                parameter: "codec_config.bit_rate", supported: isFixed ? Codec.changingRates(isVideo ? .video : .audio) : nil)
        }
        try require(change.bitRate, in: bitRates, "codec_config.bit_rate")
        var rate = self.rate
        rate.bitRate = change.bitRate
        if hasBuffer, isConstant || rate.maxRate == self.rate.bitRate { rate.maxRate = change.bitRate }
        for (option, text) in change.encoderOption.sorted(by: { $0.key < $1.key }) {
            let parameter = "encoder_option.\(option)"
            guard hasBuffer, Self.options.contains(option) else {
                throw StreamWriterError(
                    .unknownOption, "\(option.shortened()) can't be changed while the encoder \(encoderName) runs", parameter: parameter,
                    supported: hasBuffer ? Self.options : [])
            }
            guard let bits = EncoderRate.bits(text, option: option) else {
                throw StreamWriterError(.unsupportedValue, "\(option) is a number of bits, and not \(text.shortened())", parameter: parameter)
            }
            try require(bits, in: 1_000...Int(Int32.max), parameter)
            if option.isSame(as: "maxrate") { rate.maxRate = bits } else { rate.bufferSize = bits }
        }
        guard !isConstant || rate.maxRate == rate.bitRate else {
            throw StreamWriterError(
                .unsupportedValue,
                "encoder_option.maxrate \(rate.maxRate) is not codec_config.bit_rate, \(rate.bitRate), and \(encoderName) changes a constant rate only; leave maxrate out",
                parameter: "encoder_option.maxrate", supported: [String(rate.bitRate)])
        }
        guard !hasBuffer || rate.maxRate == 0 || rate.bitRate <= rate.maxRate else {
            throw StreamWriterError(
                .unsupportedValue,
                "codec_config.bit_rate \(rate.bitRate) is above encoder_option.maxrate, \(rate.maxRate); give encoder_option.maxrate as well",
                parameter: "codec_config.bit_rate")
        }
        return rate
    }

    private static let options = ["maxrate", "bufsize"]
}
