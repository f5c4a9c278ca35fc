import Foundation
import Libav
import Testing

@Suite struct PacketLogReaderTests {
    /// Records of every kind, and where each begins.
    private static func log(hasChecksums: Bool) throws -> (bytes: [UInt8], starts: [Int]) {
        let clip = try EncodedClip.video("libvpx", "yuva420p", options: ["deadline": "realtime", "auto-alt-ref": "0"])
        let framing = PacketLogFraming(hasChecksums: hasChecksums)
        var pieces = [try framing.record(clip.parameters), try framing.record(16, []), try framing.record(200, Array("done".utf8))]
        for packet in clip.packets { pieces.append(try framing.withRecord(of: packet) { Array($0.joined()) }) }
        let starts = pieces.reduce(into: [0]) { $0.append($0.last! + $1.count) }
        return (Array(pieces.joined()), starts)
    }

    private static func bytes(of record: PacketLogRecord, hasChecksums: Bool) throws -> [UInt8] {
        let framing = PacketLogFraming(hasChecksums: hasChecksums)
        return switch record {
        case .parameters(let parameters): try framing.record(parameters)
        case .packet(let packet): try framing.withRecord(of: packet) { Array($0.joined()) }
        case .other(let kind, let payload): try framing.record(kind, payload)
        }
    }

    @Test(arguments: [true, false], [1, 3, 47, 48, 1000, .max])
    func recordsComeOutOfAnyPieces(hasChecksums: Bool, piece: Int) throws {
        let (bytes, starts) = try Self.log(hasChecksums: hasChecksums)
        var reader = PacketLogReader(hasChecksums: hasChecksums, mostBytes: 1 << 20)
        let records = try reader.records(of: bytes, piece: piece)
        #expect(records.count == starts.count - 1)
        #expect(try records.flatMap { try Self.bytes(of: $0, hasChecksums: hasChecksums) } == bytes)
        #expect(reader.isBetweenRecords)
        #expect(reader.wholeBytes == Int64(bytes.count))
    }

    @Test func recordIsLaidOutAsItIsDescribed() throws {
        #expect(try PacketLogFraming(hasChecksums: false).record(17, [0xaa, 0xbb]) == [17, 2, 0, 0, 0, 0xaa, 0xbb])
        // The CRC-32C of those bytes, by a loop over their bits outside of this program.
        let checksum: [UInt8] = [0x9f, 0x2f, 0x6f, 0x81]
        #expect(try PacketLogFraming(hasChecksums: true).record(17, [0xaa, 0xbb]) == [17, 2, 0, 0, 0] + checksum + [0xaa, 0xbb])
    }

    /// RFC 3720, B.4, and the checksum's usual check value.
    @Test func checksumsAreThoseOfTheRFC() {
        func checksum(_ bytes: [UInt8]) -> UInt32 {
            var checksum = CRC32C()
            checksum.add(bytes)
            return checksum.value
        }
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xff, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        var pieces = CRC32C()
        for piece in ["1", "2345", "", "6789"] { pieces.add(Array(piece.utf8)) }
        #expect(pieces.value == 0xE306_9283)
    }

    /// A packet's bytes are read where they stay.
    @Test(arguments: [true, false]) func packetIsFilledByReadvFromASocket(hasChecksums: Bool) throws {
        let packet = try #require(EncodedClip.video("rawvideo", "rgb24").packets.first)
        let record = try Self.bytes(of: .packet(packet), hasChecksums: hasChecksums)
        var reader = PacketLogReader(hasChecksums: hasChecksums, mostBytes: 1 << 20)
        let head = record.count - packet.byteCount
        let (taken, early) = try record[..<head].withUnsafeBytes { try reader.take($0) }
        #expect(taken == head && early == nil)
        #expect(reader.missingBytes == 64 * 48 * 3)
        #expect(!reader.isBetweenRecords)
        var next = head
        var record2: PacketLogRecord?
        var place: UnsafeMutableRawPointer?
        while record2 == nil {
            record2 = try reader.fillDirectly { regions in
                if place == nil { place = regions[0].baseAddress }
                let count = min(1000, regions[0].count)
                regions[0].copyBytes(from: record[next..<(next + count)])
                next += count
                return count
            }
        }
        guard case .packet(let copy)? = record2 else { throw EncodedClip.TestFailure() }
        #expect(next == record.count)
        #expect(copy.withBodyPieces { $0.last?.baseAddress } == place.map { UnsafeRawPointer($0) })
        #expect(try copy.recordBytes == packet.recordBytes)
    }

    @Test func recordLongerThanItsReaderTakesIsRefusedByItsHeader() throws {
        var reader = PacketLogReader(hasChecksums: false, mostBytes: 1000)
        let error = #expect(throws: PacketLogError.self) { try reader.records(of: [16, 0xe9, 3, 0, 0]) }
        #expect(error?.kind == .tooLarge)
        #expect(error?.reason.contains("1001") == true)
        #expect(throws: PacketLogError.self, "and it takes no more") { try reader.records(of: [16, 0, 0, 0, 0]) }
    }

    @Test func everyDamagedByteOfARecordIsNoticedByItsChecksum() throws {
        let (bytes, starts) = try Self.log(hasChecksums: true)
        for start in starts[1..<4] {
            let end = starts.first { $0 > start }!
            for place in start..<end {
                var damaged = bytes
                damaged[place] ^= 0x10
                var reader = PacketLogReader(hasChecksums: true, mostBytes: bytes.count)
                // A length that was damaged to be larger has it wait for more.
                let records = try? reader.records(of: damaged)
                #expect((records?.count ?? 0) < starts.count - 1, "byte \(place)")
                #expect(reader.wholeBytes == Int64(start), "byte \(place)")
            }
        }
    }

    @Test func logThatIsCutAnywhereSaysUpToWhereItIsWhole() throws {
        let (bytes, starts) = try Self.log(hasChecksums: true)
        for count in 0...starts[5] {
            var reader = PacketLogReader(hasChecksums: true, mostBytes: bytes.count)
            let records = try reader.records(of: Array(bytes[..<count]))
            let whole = starts.last { $0 <= count }!
            #expect(reader.wholeBytes == Int64(whole))
            #expect(records.count == starts.firstIndex(of: whole))
            #expect(reader.isBetweenRecords == (whole == count))
        }
    }
}
