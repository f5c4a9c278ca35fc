import Foundation
import Libav
import Testing

/// A made-up clip of one stream, encoded: what a muxer gets of it.
struct EncodedClip {
    let parameters: StreamParameters
    let packets: [Packet]
    /// How many of them no encoder has made.
    var wentPast = 0

    static let pictures = 12
    private static let blocks = 12

    /// Moving stripes, 64 x 48 at 25 a second.
    static func video(
        _ encoder: String, _ format: String, options: [String: String] = [:], globalHeader: Bool = true, gopSize: Int? = 5,
        presentation: StreamPresentation = StreamPresentation(metadata: ["language": "eng"])
    ) throws -> EncodedClip {
        let shape = VideoShape(format: try #require(PixelFormat(name: format)), width: 64, height: 48, frameRate: Fraction(25, 1))
        let pool = try FramePool(layout: ImageLayout(format: shape.format, width: shape.width, height: shape.height, packing: .aligned))
        let frames = try (0..<pictures).map { index in
            let frame = try pool.take()
            for (plane, layout) in pool.layout.planes.enumerated() {
                let rows = try #require(frame.plane(plane)).assumingMemoryBound(to: UInt8.self)
                for row in 0..<layout.rows {
                    // Words of more than 8 bits stay within 10.
                    for column in 0..<layout.rowBytes {
                        let value = 16 + (column * 3 + row * 5 + index * 7 + plane * 11) % 200
                        rows[row * layout.stride + column] = format.hasSuffix("10le") && column % 2 == 1 ? 1 : UInt8(value)
                    }
                }
            }
            frame.pts = Int64(index)
            frame.setDuration(1)
            return frame
        }
        var settings = EncoderSettings(codec: try #require(Codec(named: encoder)), input: .video(shape))
        settings.gopSize = gopSize
        settings.sampleAspectRatio = Fraction(4, 3)
        return try encode(&settings, options, globalHeader, frames, presentation)
    }

    /// A saw tooth in each channel. `past`: frames go past the encoder where they can.
    static func audio(
        _ encoder: String, _ format: String, _ layout: ChannelLayout, rate: Int = 48_000, options: [String: String] = [:],
        globalHeader: Bool = true, past: Bool = false
    ) throws -> EncodedClip {
        let format = try #require(AudioFormat(name: format))
        let shape = AudioShape(format: format, layout: layout, sampleRate: rate)
        let source = AudioShape(format: try #require(AudioFormat(name: "s16")), layout: layout, sampleRate: rate)
        var settings = EncoderSettings(codec: try #require(Codec(named: encoder)), input: .audio(shape))
        settings.options = options
        let fixed = try Encoder(settings).frameSize
        let samples = fixed > 0 ? fixed : 1024
        let slab = try SampleSlabPool(shape: source, blockSamples: samples, slabBytes: blocks * (samples * source.bytesPerFrame + 64)).take()
        let converter = try SampleConverter(from: source, to: format, blockSamples: samples)
        let frames = try (0..<blocks).map { index in
            let values = (slab.base + index * slab.stride).assumingMemoryBound(to: Int16.self)
            for value in 0..<(samples * layout.channels) { values[value] = Int16((value * 37 + index) % 8000 - 4000) }
            let frame = try converter.convert(slab.frame(block: index, samples: samples))
            frame.pts = Int64(index * samples)
            return frame
        }
        return try encode(&settings, options, globalHeader, frames, StreamPresentation(metadata: ["title": "saw"]), past: past)
    }

    private static func encode(
        _ settings: inout EncoderSettings, _ options: [String: String], _ globalHeader: Bool, _ frames: [Frame],
        _ presentation: StreamPresentation, past: Bool = false
    ) throws -> EncodedClip {
        Log.install()
        settings.options = options
        settings.usesGlobalHeader = globalHeader
        let encoder = try Encoder(settings)
        let parameters = try StreamParameters(encoder, presentation)
        var packets: [Packet] = []
        var wentPast = 0
        for frame in frames.map(Optional.some) + [nil] {
            if past, let frame, let packet = try encoder.sendThrough(frame) {
                packets.append(packet)
                wentPast += 1
                continue
            }
            try encoder.send(frame)
            while case .packet(let packet) = try encoder.receive() { packets.append(packet) }
        }
        return EncodedClip(parameters: parameters, packets: packets, wentPast: wentPast)
    }

    /// The same, whose parameters and packets went through bytes.
    func throughBytes() throws -> EncodedClip {
        var log: [UInt8] = []
        let framing = PacketLogFraming(hasChecksums: true)
        log += try framing.record(parameters)
        for packet in packets { try framing.withRecord(of: packet) { for piece in $0 { log += piece } } }
        var reader = PacketLogReader(hasChecksums: true, mostBytes: log.count)
        let records = try reader.records(of: log)
        guard case .parameters(let parameters)? = records.first else { throw TestFailure() }
        let packets = try records.dropFirst().map { record in
            guard case .packet(let packet) = record else { throw TestFailure() }
            return packet
        }
        return EncodedClip(parameters: parameters, packets: packets)
    }

    struct TestFailure: Error {}

    /// The file that a muxer makes of it.
    func muxed(_ muxer: String, options: [String: String] = [:]) throws -> Data {
        let folder = FileManager.default.temporaryDirectory
        let path = folder.appendingPathComponent("penstock-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try mux(muxer, options: options, to: path)
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    func mux(_ muxer: String, options: [String: String] = [:], to path: String) throws {
        let interruption = Interruption()
        let muxer = try Muxer(format: #require(OutputFormat(named: muxer)), url: nil, interruption: interruption)
        _ = try muxer.addStream(parameters)
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        muxer.attach(try OutputIO(descriptor: descriptor, bufferBytes: OutputIO.defaultBufferBytes, interruption: interruption))
        // Without what is drawn by lot or told by the clock.
        var options = Options(["fflags": "+bitexact"].merging(options) { $1 })
        try muxer.initialize(&options)
        try #require(options.leftovers.isEmpty)
        try muxer.writeHeader()
        for packet in packets { try muxer.write(packet, gathers: false) }
        try muxer.finish()
    }
}

extension PacketLogReader {
    /// All records of `bytes`, which come in pieces of at most `piece` bytes.
    mutating func records(of bytes: [UInt8], piece: Int = .max) throws -> [PacketLogRecord] {
        var records: [PacketLogRecord] = []
        var next = 0
        while next < bytes.count {
            let end = next + min(piece, bytes.count - next)
            let (taken, record) = try bytes[next..<end].withUnsafeBytes { try take($0) }
            next += taken
            if let record { records.append(record) }
        }
        return records
    }
}

extension Packet {
    /// Its bytes and those beside it: its whole record.
    var recordBytes: [UInt8] {
        get throws { try PacketLogFraming(hasChecksums: false).withRecord(of: self) { Array($0.joined()) } }
    }
}
