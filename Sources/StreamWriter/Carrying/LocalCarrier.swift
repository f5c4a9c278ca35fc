import Bytewise
import Libav
import Synchronization
import Threading

/// Writes a container in this process, by libav.
package final class LocalCarrier: Carrier, @unchecked Sendable {
    // Unchecked: one call at a time; what any thread reads is atomic or has a lock.
    let format: OutputFormat
    let destination: Destination
    let interruption = Interruption()
    private var output: OutputIO?
    let sinks: (any OutputSinks)?
    /// What the sinks are for is written to a file first.
    var isSpooled = false
    let bufferBytes: Int
    private let muxer: Muxer
    private var order: PacketOrder?
    private var rates: VariantRates?
    private let held = Atomic(0)
    private let forced = Mutex<Double?>(nil)
    /// Seconds that a peer may take that is to connect to this writer, once it has.
    private let timeOfPeer = Mutex<Double?>(nil)

    /// Takes the destination over, also when it throws. `opener` decides about a destination that is a URL, and about
    /// every file and URL that the muxer opens by itself.
    package init(
        _ destination: Destination, format: OutputFormat, bufferBytes: Int, opener: (any OutputOpener)?
    ) throws(StreamWriterError) {
        self.destination = destination
        self.format = format
        sinks = destination.sinks
        self.bufferBytes = bufferBytes
        let ask = opener.map { opener in { @Sendable name in opener.permission(toOpen: name).answer } }
        do throws(LibavError) {
            switch destination.target {
            case .file(let descriptor):
                output = try OutputIO(
                    descriptor: descriptor, bufferBytes: bufferBytes, packetBytes: destination.packetBytes, interruption: interruption,
                    onWrite: destination.onWrite)
                muxer = try Muxer(format: format, url: nil, interruption: interruption, opener: ask)
            case .url(let name), .device(let name):
                output = nil
                muxer = try Muxer(format: format, url: name, interruption: interruption, opener: ask)
            case .sinks(let sinks):
                output = nil
                muxer = try Muxer(format: format, url: format.opensItself ? sinks.muxerName : nil, interruption: interruption) { name in
                    .sink { (options) throws(SinkFailure) in try sinks.sink(for: name, options) }
                }
            case .carried: preconditionFailure("a destination that has its carrier")
            }
        } catch {
            throw StreamWriterError(error, .outOfMemory)
        }
        guard output != nil, format.opensItself else { return }
        throw StreamWriterError(
            .unsupportedValue, "\(format.name) does not write one stream of bytes to one file", parameter: "format")
    }

    // MARK: Writing

    package func write(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        try writing { () throws(LibavError) in
            let bytes = packet.byteCount
            let place = try order?.place(of: packet)
            if let rate = rates?.add(packet) { muxer.raiseBitRate(of: packet.stream, to: rate) }
            try muxer.write(packet, gathers: moreFollows)
            guard let place, order!.add(place, bytes: bytes) else { return noteHeld() }
            try muxer.writeHeldPackets()
            order!.clear()
            if let latest = order!.forced { forced.withLock { $0 = latest } }
            noteHeld()
        }
    }

    package func sendGathered() throws(StreamWriterError) {
        try writing { () throws(LibavError) in try muxer.sendGathered() }
    }

    package func flush() throws(StreamWriterError) {
        try writing { () throws(LibavError) in
            if order?.isKept == true || muxer.awaitsStreams || KnownFaults.dropsHeldPackets(format.name) { return try muxer.flush() }
            try muxer.writeHeldPackets()
            try muxer.flush()
            order?.clear()
            noteHeld()
        }
    }

    package func finish() throws(StreamWriterError) -> FinishedContainer {
        for (track, rate) in rates?.finish() ?? [] { muxer.raiseBitRate(of: track, to: rate) }
        try writing { () throws(LibavError) in try muxer.finish() }
        try finishSinks()
        return FinishedContainer(written: muxer.tallies, secondsLate: order?.secondsLate ?? [])
    }

    private func noteHeld() { held.store(order?.heldBytes ?? 0, ordering: .relaxed) }

    private func writing(_ body: () throws(LibavError) -> Void) throws(StreamWriterError) {
        do throws(LibavError) {
            try body()
        } catch {
            throw StreamWriterError(error, muxer.isDestinations(error) ? .destinationFailed : .encodingFailed)
        }
    }

    // MARK: Any thread

    package func interrupt() {
        interruption.request()
        sinks?.abort()
    }

    /// What breaks shows with a call.
    package func whenBroken(_ handler: @escaping @Sendable (StreamWriterError) -> Void) {}

    var isUploading: Bool { sinks != nil }
    package var bytesWritten: Int64 { muxer.bytesWritten }
    package var heldBytes: Int { held.load(ordering: .relaxed) }
    package var forcedUpTo: Double? { forced.withLock { $0 } }

    /// A peer that opening waits for has connected, and has the time from here on.
    func notePeerConnected() {
        let seconds = timeOfPeer.withLock { seconds in
            defer { seconds = nil }
            return seconds
        }
        if let seconds { interruption.limit(until: .after(.seconds(seconds))) }
    }

    // MARK: Opening

    package func open(_ opening: ContainerOpening) throws(StreamWriterError) -> OpenedContainer {
        let option = opening.option
        return try inTime(opening.timeout, awaitingPeer: destination.awaitsPeer(option: option)) { () throws(StreamWriterError) in
            for stream in opening.streams {
                _ = try translating(.outOfMemory) { () throws(LibavError) in try muxer.addStream(stream) }
            }
            muxer.setMetadata(opening.metadata)
            muxer.resumes = opening.resumes
            var own = option
            try prepareSinks(&own, opening)
            let completed = complete(own, opening)
            if format.name.isSame(as: "hls"), let pattern = VariantPlaylist.pattern(of: sinks?.muxerName ?? destination.name, completed) {
                muxer.rename(pattern)
            }
            try begin(completed, given: own)
            rates = VariantRates(format, completed, opening.streams)
            order = PacketOrder(muxer, timeBases: opening.streams.map(\.timeBase))
            return OpenedContainer(
                times: opening.streams.indices.map { muxer.times(of: $0) },
                mostBytes: destination.isFile || isSpooled ? format.mostBytes(option: completed) : nil)
        }
    }

    private func inTime<R>(
        _ seconds: Double?, awaitingPeer: Bool, _ body: () throws(StreamWriterError) -> R
    ) throws(StreamWriterError) -> R {
        if awaitingPeer {
            timeOfPeer.withLock { $0 = seconds }
        } else if let seconds {
            interruption.limit(until: .after(.seconds(seconds)))
        }
        defer {
            timeOfPeer.withLock { $0 = nil }
            interruption.lift()
        }
        let began = ContinuousClock.now
        do throws(StreamWriterError) {
            return try body()
        } catch {
            // Sinks have the same time, and give up by themselves.
            guard let seconds, interruption.hasTimedOut || isUploading && ContinuousClock.now - began >= .seconds(seconds * 0.95) else { throw error }
            throw .timedOut(after: seconds, error.log)
        }
    }

    private func complete(_ option: [String: String], _ opening: ContainerOpening) -> [String: String] {
        destination.isFile || sinks != nil && !format.opensItself
            ? format.completed(option, hasPictures: opening.streams.contains { $0.media == .video }, named: destination.name)
            : destination.defaults(timeout: opening.timeout).merging(option) { $1 }
    }

    private func begin(_ completed: [String: String], given option: [String: String]) throws(StreamWriterError) {
        var options = Options(completed)
        try openDestination(&options, option)
        muxer.settlingTime = destination.settlingTime(option: option)
        if let option = muxer.reservation(above: Limits.bufferBytes.upperBound, in: options) {
            throw StreamWriterError(
                .invalidParameter, "\(option) may reserve at most \(Limits.bufferBytes.upperBound) bytes",
                parameter: "option.\(option)")
        }
        do throws(LibavError) {
            try muxer.initialize(&options)
        } catch {
            throw muxerRefused(error, option)
        }
        let leftovers = options.leftovers
        guard leftovers.isEmpty else { throw unknownOptions(leftovers) }
        setInterleaving(option)
        do throws(LibavError) {
            try muxer.writeHeader()
        } catch {
            throw muxerRefused(error, option)
        }
    }

    private func openDestination(_ options: inout Options, _ given: [String: String]) throws(StreamWriterError) {
        if isSpooled { output = try makeSpool() }
        if let output { return muxer.attach(output) }
        do throws(LibavError) {
            if !format.opensItself {
                try muxer.openURL(sinks?.muxerName ?? destination.name, &options)
            } else if !format.isDevice {
                try muxer.reachOnly(sinks?.muxerName ?? destination.name)
            }
        } catch {
            throw StreamWriterError(opening: destination.name, error, options: given)
        }
    }

    /// How long packets wait for those of streams that have none.
    private func setInterleaving(_ option: [String: String]) {
        if option["max_interleave_delta"] != nil { return }
        // What is uploaded is there once it is whole, and nobody watches it grow: it is a file.
        if destination.isLive && !isUploading {
            muxer.interleaveSeconds = Limits.liveHeldSeconds
        } else if KnownFaults.needsOrder(format.name) || KnownFaults.dropsHeldPackets(format.name) || KnownFaults.ending(of: format.name) != .apart {
            // What is written too early could not be followed by what comes late.
            muxer.interleaveSeconds = nil
        } else if OutputFormat.movFamily.contains(format.name), format.seeksBack(option: option) {
            // It can't be read before its end: only memory bounds what waits.
            muxer.interleaveSeconds = nil
        }
    }

    private func muxerRefused(_ error: LibavError, _ option: [String: String]) -> StreamWriterError {
        if let option = error.option { return unknownOptions([option]) }
        if muxer.isDestinations(error) { return StreamWriterError(opening: destination.name, error, options: option) }
        return StreamWriterError(beginning: error, options: option.keys.sorted())
    }

    private func unknownOptions(_ keys: [String]) -> StreamWriterError {
        StreamWriterError.unknownOptions(keys, ofMuxer: format.name)
    }
}
