import Libav

/// Frames in, packets out: conversion or filters, then the encoder. One thread at a time.
final class EncodeStage {
    let stream: Int
    private let plan: EncodePlan
    private let sink: PacketSink
    private let progress: ProgressCounter
    private let frameSize: Int
    private let converter: SampleConverter?
    private var encoder: Encoder?
    private var graph: FilterGraph?
    private var hasFrames = false
    private var lastFramePTS = Int64.min
    private var lastDTS = Int64.min
    /// The first frame after a drain; an encoder that was opened again may start before it.
    private var restartedAt: Int64?
    private var isRestarting = false

    init(_ parts: StreamParts, sink: PacketSink, progress: ProgressCounter) {
        stream = parts.description.index
        plan = parts.plan
        encoder = parts.encoder
        frameSize = parts.encoder.frameSize
        graph = parts.graph
        converter = parts.converter
        self.sink = sink
        self.progress = progress
    }

    /// Encodes a frame, its pts in the input's time base.
    func process(_ input: Frame) throws(StreamWriterError) {
        if plan.filtering != nil {
            let graph = try openGraph()
            hasFrames = true
            // Filters that change the rate need to know where the last frame ends.
            setDuration(input)
            try encoding { () throws(LibavError) in try graph.push(input) }
            try encodeFiltered(graph)
        } else if let converter {
            try encode(try encoding { () throws(LibavError) in try converter.convert(input) })
        } else {
            try encode(input)
        }
    }

    /// Gets everything out that was put in. More frames may follow.
    func drain() throws(StreamWriterError) {
        guard hasFrames else { return }
        if let graph {
            try encoding { () throws(LibavError) in try graph.finish() }
            try encodeFiltered(graph)
            self.graph = nil
        }
        hasFrames = false
        isRestarting = true
        guard let encoder else { return }
        try encoding { () throws(LibavError) in try encoder.send(nil) }
        try receivePackets(encoder)
        if encoder.settings.codec.restartsAfterDrain {
            encoder.restart()
        } else {
            self.encoder = nil
        }
    }

    // MARK: Filters

    private func openGraph() throws(StreamWriterError) -> FilterGraph {
        if let graph { return graph }
        let graph = try plan.filtering!.build()
        if frameSize > 0 { graph.setFrameSize(frameSize) }
        self.graph = graph
        return graph
    }

    private func encodeFiltered(_ graph: FilterGraph) throws(StreamWriterError) {
        while true {
            let output = try encoding { () throws(LibavError) in try graph.pull() }
            guard case .frame(let frame) = output else { return }
            frame.pts = frame.pts.map { graph.timeBase.rescale($0, to: plan.settings.timeBase) }
            try encode(frame)
        }
    }

    // MARK: Encoder

    private func openEncoder() throws(StreamWriterError) -> Encoder {
        if let encoder { return encoder }
        let encoder = try encoding { () throws(LibavError) in try Encoder(plan.settings) }
        self.encoder = encoder
        return encoder
    }

    private func encode(_ frame: Frame) throws(StreamWriterError) {
        let pts = frame.pts ?? 0
        // Filters may bend time; an encoder takes it in one direction only.
        guard pts > lastFramePTS else { return }
        lastFramePTS = pts
        hasFrames = true
        if isRestarting {
            isRestarting = false
            restartedAt = pts
        }
        setDuration(frame)
        let encoder = try openEncoder()
        if let packet = try encoding({ () throws(LibavError) in try encoder.sendThrough(frame) }) {
            return try submit(packet)
        }
        try encoding { () throws(LibavError) in try encoder.send(frame) }
        try receivePackets(encoder)
    }

    /// One picture, or its samples: in the time base of the frame either way.
    private func setDuration(_ frame: Frame) {
        frame.setDuration(frame.sampleCount == 0 ? 1 : Int64(frame.sampleCount))
    }

    private func receivePackets(_ encoder: Encoder) throws(StreamWriterError) {
        while true {
            let output = try encoding { () throws(LibavError) in try encoder.receive() }
            guard case .packet(let packet) = output else { return }
            try submit(packet)
        }
    }

    private func submit(_ packet: Packet) throws(StreamWriterError) {
        packet.stream = stream
        // Not every encoder says how long; the last frame would have no duration then.
        if packet.duration == 0, case .video = plan.settings.input { packet.duration = 1 }
        guard keepsOrder(packet) else { return }
        progress.packetMade()
        try sink.submit(packet)
    }

    /// After a drain an encoder that was opened again starts with its delay before the first
    /// frame, where packets have already been. Drops what is only that, and moves the rest up.
    private func keepsOrder(_ packet: Packet) -> Bool {
        guard let dts = packet.dts else { return true }
        if let restartedAt, dts <= lastDTS {
            let end = (packet.pts ?? dts) + packet.duration
            if case .audio = plan.settings.input, end <= restartedAt { return false }
            packet.dts = lastDTS + 1
            packet.pts = max(packet.pts ?? dts, lastDTS + 1)
        }
        lastDTS = max(lastDTS, packet.dts ?? dts)
        return true
    }

    private func encoding<T>(_ body: () throws(LibavError) -> T) throws(StreamWriterError) -> T {
        try translating(.encodingFailed, body)
    }
}
