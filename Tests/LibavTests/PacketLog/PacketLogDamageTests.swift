import Foundation
import Libav
import Testing

/// Bytes that are not what they should be end in an error, or in what libav survives: never in a crash.
@Suite struct PacketLogDamageTests {
    private static func parameters() throws -> [[UInt8]] {
        var presentation = StreamPresentation(metadata: ["title": "x"])
        presentation.rotation = 180
        presentation.disposition = ["default"]
        var mastering = MasteringMetadata()
        mastering.lightLevel = [1000, 400]
        presentation.mastering = mastering
        return [
            try EncodedClip.video("mpeg4", "yuv420p", presentation: presentation).parameters.encoded,
            try EncodedClip.audio("flac", "s16", ChannelLayout(name: "5.1")!).parameters.encoded,
        ]
    }

    private static func packets() throws -> [[UInt8]] {
        func body(_ packet: Packet) throws -> [UInt8] { Array(try packet.recordBytes.dropFirst(5)) }
        let alpha = try EncodedClip.video("libvpx", "yuva420p", options: ["deadline": "realtime", "auto-alt-ref": "0"])
        return [try body(alpha.packets[0]), try body(#require(EncodedClip.audio("flac", "s16", ChannelLayout(channels: 2)).packets.last))]
    }

    /// What decodes is muxed: by muxers that look into a stream's parameters.
    private func use(_ parameters: StreamParameters) throws {
        _ = try parameters.encoded
        for muxer in ["mov", "matroska", "mpegts", "wav", "mxf"] {
            _ = try? EncodedClip(parameters: parameters, packets: []).muxed(muxer)
        }
    }

    @Test func parametersThatAreCutAreRefused() throws {
        for bytes in try Self.parameters() {
            for count in 0..<bytes.count {
                #expect(throws: PacketLogError.self) { try StreamParameters(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: PacketLogError.self) { try StreamParameters(decoding: bytes + [0]) }
        }
    }

    @Test func parametersWithOtherBytesAreRefusedOrSurvived() throws {
        var used = 0
        for bytes in try Self.parameters() {
            for place in bytes.indices {
                for value in [0, 0x7f, 0x80, 0xff, bytes[place] ^ 1] as [UInt8] where value != bytes[place] {
                    var damaged = bytes
                    damaged[place] = value
                    guard let parameters = try? StreamParameters(decoding: damaged) else { continue }
                    used += 1
                    // Each muxer over each of them would take long.
                    if used % 7 == 0 { try use(parameters) }
                }
            }
        }
        #expect(used > 100)
    }

    @Test func randomBytesAreRefused() {
        var generator = Generator(state: 1)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if !bytes.isEmpty { bytes[0] = 1 }
            #expect(throws: PacketLogError.self) { try StreamParameters(decoding: bytes) }
            if let packet = try? Packet(decoding: bytes) { #expect(packet.byteCount < 120) }
            for hasChecksums in [true, false] {
                var reader = PacketLogReader(hasChecksums: hasChecksums, mostBytes: 1 << 16)
                _ = try? reader.records(of: bytes)
            }
        }
    }

    @Test func packetsThatAreCutAreRefused() throws {
        for bytes in try Self.packets() {
            for count in 0..<bytes.count {
                #expect(throws: PacketLogError.self) { try Packet(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: PacketLogError.self) { try Packet(decoding: bytes + [0]) }
        }
    }

    @Test func packetHeadsWithOtherBytesAreRefusedOrSurvived() throws {
        let clip = try EncodedClip.video("mpeg4", "yuv420p")
        for bytes in try Self.packets() {
            for place in 0..<63 {
                for value in 0...UInt8.max {
                    var damaged = bytes
                    damaged[place] = value
                    guard let packet = try? Packet(decoding: damaged) else { continue }
                    // As the second of a stream, whatever its times are.
                    guard value % 32 == 0 else { continue }
                    for muxer in ["matroska", "mpegts"] {
                        _ = try? EncodedClip(parameters: clip.parameters, packets: [clip.packets[0], packet]).muxed(muxer)
                    }
                }
            }
        }
    }

    /// By the place of each field in a head: what it was set to, and what the error names.
    @Test(arguments: [
        (1, [0x08] as [UInt8], "flags"), (5, [0xff, 0xff, 0xff, 0xff], "stream"),
        (9, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "presentation"),
        (17, [1, 0, 0, 0, 0, 0, 0, 0x80], "decoding"), (25, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "duration"),
        (33, [0xff, 0xff, 0xff, 0xff], "time base"), (41, [0xff, 0xff, 0xff, 0xff], "bytes of a packet"), (45, [65, 0], "side data"),
        (47, [200, 0, 0, 0], "no type"), (51, [7, 0, 0, 0], "at least 8"),
    ])
    func fieldOutOfItsRangeIsNamed(place: Int, value: [UInt8], word: String) throws {
        var bytes = try Self.packets()[0]
        bytes.replaceSubrange(place..<(place + value.count), with: value)
        let error = #expect(throws: PacketLogError.self) { try Packet(decoding: bytes) }
        #expect(error?.reason.contains(word) == true, "\(error?.reason ?? "none")")
    }

    @Test func otherVersionsAreTold() throws {
        var parameters = try Self.parameters()[0]
        parameters[0] = 2
        let error = #expect(throws: PacketLogError.self) { try StreamParameters(decoding: parameters) }
        #expect(error?.kind == .unknownVersion)
        var packet = try Self.packets()[0]
        packet[0] = 2
        #expect(#expect(throws: PacketLogError.self) { try Packet(decoding: packet) }?.kind == .unknownVersion)
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }
}
