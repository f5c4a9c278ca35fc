import Libav
import StreamWriter
import Testing

@Suite struct WaitingPacketsTests {
    /// Tracks and times of what leaves, of packets that came like that.
    private func order(_ came: [(track: Int, seconds: Double)], byTime: Bool) throws -> [String] {
        var waiting = WaitingPackets(tracks: 2, byTime: byTime)
        for (track, seconds) in came { _ = waiting.append(try packet(of: track), at: seconds) }
        var left: [String] = []
        while let first = waiting.first {
            left.append("\(first.packet.stream)@\(first.seconds)")
            waiting.removeFirst()
        }
        #expect(waiting.count == 0 && left.count == came.count)
        return left
    }

    private func packet(of track: Int) throws -> Packet {
        let packet = try Packet()
        packet.stream = track
        return packet
    }

    private let came: [(track: Int, seconds: Double)] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 0.5), (1, 2)]

    @Test func packetsLeaveInTheOrderOfTheirTimesWhicheverTrackCameFirst() throws {
        #expect(try order(came, byTime: true) == ["0@0.0", "1@0.0", "1@0.5", "0@1.0", "0@2.0", "1@2.0"])
    }

    @Test func withoutPaceTheyLeaveAsTheyCame() throws {
        #expect(try order(came, byTime: false) == ["0@0.0", "0@1.0", "0@2.0", "1@0.0", "1@0.5", "1@2.0"])
    }

    /// Whoever waits for the first one's time is to know.
    @Test func aPacketThatLeavesBeforeTheOthersIsTold() throws {
        var waiting = WaitingPackets(tracks: 2, byTime: true)
        #expect(waiting.append(try packet(of: 0), at: 1))
        #expect(!waiting.append(try packet(of: 0), at: 2))
        #expect(waiting.append(try packet(of: 1), at: 0.5))
        #expect(!waiting.append(try packet(of: 1), at: 1))
        #expect(waiting.length == 1.5)
    }

    @Test func aTrackThatIsAheadKeepsNoneOfAnotherOut() throws {
        var waiting = WaitingPackets(tracks: 2, byTime: true)
        for second in 0..<1_024 {
            #expect(!waiting.isFull(0))
            _ = waiting.append(try packet(of: 0), at: Double(second))
        }
        #expect(waiting.isFull(0) && !waiting.isFull(1))
        waiting.removeFirst()
        #expect(!waiting.isFull(0))
    }
}
