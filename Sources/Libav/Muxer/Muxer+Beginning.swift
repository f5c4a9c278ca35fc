internal import CLibav

/// The first packets of a container that fails at times before those of its first one.
extension Muxer {
    /// What is written next depends on a stream that has not begun.
    package var awaitsStreams: Bool { early?.isEmpty == false }

    /// Once the header is written. What goes on from where another has ended keeps its times, whoever begins.
    func beginAwaitingStreams() {
        early = KnownFaults.beginsWithFirstPacket(format.name) && movesStart && !resumes && encoderTimeBases.count > 1 ? [] : nil
    }

    private var haveAllBegun: Bool { tallies.allSatisfy { $0.packets > 0 } }

    /// Keeps a packet until every stream has one, so that the earliest of all is the first; but no longer than packets wait
    /// for those of other streams.
    func keep(_ packet: Packet) throws(LibavError) {
        early?.append(packet)
        if haveAllBegun || hasFirstWaited(for: packet) { try passEarly() }
    }

    private func hasFirstWaited(for latest: Packet) -> Bool {
        guard let most = interleaveSeconds, let first = early?.first else { return false }
        return seconds(latest) - seconds(first) > most
    }

    private func seconds(_ packet: Packet) -> Double {
        Double(packet.dts ?? 0) * Fraction(context.pointee.streams[packet.stream]!.pointee.time_base).doubleValue
    }

    /// Where a stream may still come, the first packet is put where the earliest of that one could be.
    func passEarly(moreFollows: Bool = true) throws(LibavError) {
        guard let packets = early else { return }
        early = nil
        if moreFollows && !haveAllBegun, let first = packets.min(by: { seconds($0) < seconds($1) }) { first.beginAtZero(isVideo: isVideo(first.stream)) }
        for packet in packets { try pass(packet, gathers: true) }
    }
}
