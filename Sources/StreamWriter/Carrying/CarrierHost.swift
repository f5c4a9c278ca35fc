import Libav
import Threading

/// The other side of a `RemoteCarrier`: writes what comes over a line into one container. It lives as long as it is of use
/// to the encoder, and no longer.
public struct CarrierHost {
    private let line: RecordLine

    public init(_ line: any ByteLine) {
        Log.install()
        self.line = RecordLine(line)
    }

    /// What an output is written with: made of an order that has been judged.
    public struct Place: Sendable {
        let destination: Destination
        let opener: any OutputOpener
        let check: @Sendable () throws(StreamWriterError) -> Void

        /// `check` throws where what was written is not what was to be, once the container has ended.
        public init(
            _ destination: Destination, opener: any OutputOpener, check: @escaping @Sendable () throws(StreamWriterError) -> Void = {}
        ) {
            self.destination = destination
            self.opener = opener
            self.check = check
        }
    }

    /// Serves one output, on this thread. `judge` says what the order may be written to, or refuses it; `refine` may
    /// say better why something failed. `whenPeerConnects` is given what to call once a peer has connected that opening
    /// waits for, on this thread. True: the container is whole.
    public func serve(
        judge: (CarrierOrder) throws(StreamWriterError) -> Place, refine: (StreamWriterError) -> StreamWriterError,
        whenPeerConnects: (@escaping @Sendable () -> Void) -> Void
    ) -> Bool {
        var session = CarrierSession(line)
        _ = try? line.send(.begun)
        do throws(PacketLogError) {
            try line.receiveAll(mostBytes: RecordLine.mostPacketBytes, pause: { session.pause(refine) }) { (record) throws(PacketLogError) in
                try session.take(record, judge: judge, refine: refine, whenPeerConnects: whenPeerConnects)
            }
        } catch {
            session.fail(StreamWriterError(.encodingFailed, "an output can't be told what to write: \(error.reason)"))
        }
        return session.isFinished
    }
}

/// What a carrier is at.
private struct CarrierSession {
    private let line: RecordLine
    private var streams: [StreamParameters] = []
    private var carrier: LocalCarrier?
    private var place: CarrierHost.Place?
    private var told = CarrierProgress()
    private var hasGathered = false
    private(set) var isFinished = false
    private var hasFailed = false

    init(_ line: RecordLine) { self.line = line }

    /// False: nothing more is taken.
    mutating func take(
        _ record: PacketLogRecord, judge: (CarrierOrder) throws(StreamWriterError) -> CarrierHost.Place,
        refine: (StreamWriterError) -> StreamWriterError, whenPeerConnects: (@escaping @Sendable () -> Void) -> Void
    ) throws(PacketLogError) -> Bool {
        do throws(StreamWriterError) {
            switch record {
            case .parameters(let parameters): streams.append(parameters)
            case .packet(let packet):
                guard let carrier, streams.indices.contains(packet.stream) else { throw Self.outOfTurn }
                try carrier.write(packet, moreFollows: true)
                hasGathered = true
            case .other(let kind, let payload):
                return try take(message(kind, payload), judge, whenPeerConnects)
            }
            return true
        } catch {
            fail(refine(error))
            return false
        }
    }

    private func message(_ kind: UInt8, _ payload: [UInt8]) throws(StreamWriterError) -> CarrierMessage {
        do throws(PacketLogError) {
            return try CarrierMessage(kind: kind, payload: payload)
        } catch {
            throw StreamWriterError(.encodingFailed, "an output can't be told what to do: \(error.reason)")
        }
    }

    private mutating func take(
        _ message: CarrierMessage, _ judge: (CarrierOrder) throws(StreamWriterError) -> CarrierHost.Place,
        _ whenPeerConnects: (@escaping @Sendable () -> Void) -> Void
    ) throws(StreamWriterError) -> Bool {
        switch (message, carrier) {
        case (.open(let order), nil): return try open(order, judge, whenPeerConnects)
        case (.flush, let carrier?):
            try carrier.flush()
            hasGathered = false
            return tellProgress(always: true) && tell(.flushed)
        case (.finish, let carrier?):
            let finished = try finishing(carrier)
            try place?.check()
            hasGathered = false
            isFinished = tellProgress(always: true) && tell(.finished(finished))
            return false
        default: throw Self.outOfTurn
        }
    }

    private func finishing(_ carrier: LocalCarrier) throws(StreamWriterError) -> FinishedContainer {
        guard carrier.isUploading else { return try carrier.finish() }
        let tell = { @Sendable [line] (seconds: Int64) in
            let progress = CarrierProgress(
                bytesWritten: carrier.bytesWritten, heldBytes: Int64(carrier.heldBytes), forcedUpTo: carrier.forcedUpTo, secondsSending: seconds)
            _ = try? line.send(.progress(progress))
        }
        return try SinkProgress.telling(tell) { () throws(StreamWriterError) in try carrier.finish() }
    }

    private mutating func open(
        _ order: CarrierOrder, _ judge: (CarrierOrder) throws(StreamWriterError) -> CarrierHost.Place,
        _ whenPeerConnects: (@escaping @Sendable () -> Void) -> Void
    ) throws(StreamWriterError) -> Bool {
        let place = try judge(order)
        let format = try OutputFormat.resolve(format: order.format, name: place.destination.name)
        let carrier = try LocalCarrier(place.destination, format: format, bufferBytes: order.bufferBytes, opener: place.opener)
        whenPeerConnects { [weak carrier, line] in
            carrier?.notePeerConnected()
            _ = try? line.send(.peerConnected)
        }
        _ = Log.take()
        var opening = ContainerOpening(streams: streams, metadata: order.metadata, option: order.option, timeout: order.timeout)
        opening.resumes = order.resumes
        let opened = try carrier.open(opening)
        self.carrier = carrier
        self.place = place
        return tellProgress(always: true) && tell(.opened(opened))
    }

    /// Before it waits for more: what small writes have gathered goes out, and how far it is is told. False: it ends.
    mutating func pause(_ refine: (StreamWriterError) -> StreamWriterError) -> Bool {
        guard let carrier, hasGathered else { return true }
        hasGathered = false
        do throws(StreamWriterError) {
            try carrier.sendGathered()
        } catch {
            fail(refine(error))
            return false
        }
        return tellProgress(always: false)
    }

    private mutating func tellProgress(always: Bool) -> Bool {
        guard let carrier else { return true }
        let progress = CarrierProgress(
            bytesWritten: carrier.bytesWritten, heldBytes: Int64(carrier.heldBytes), forcedUpTo: carrier.forcedUpTo)
        if progress == told && !always { return true }
        told = progress
        return tell(.progress(progress))
    }

    /// Once.
    mutating func fail(_ error: StreamWriterError) {
        if hasFailed { return }
        hasFailed = true
        _ = tellProgress(always: false) && tell(.failed(error))
    }

    private func tell(_ message: CarrierMessage) -> Bool { (try? line.send(message)) ?? false }

    private static let outOfTurn = StreamWriterError(.encodingFailed, "an output was told something out of turn")
}
