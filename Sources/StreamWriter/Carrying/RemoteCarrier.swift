import Libav
import Threading

/// A carrier in another process, at the far end of a line. What that says of its failure comes with the next call, and
/// that it has failed `whenBroken` tells.
package final class RemoteCarrier: Carrier, @unchecked Sendable {
    // Unchecked: one call at a time; what any thread reads is in the inbox.
    private let line: RecordLine
    private let inbox: CarrierInbox
    private let destination: Destination
    private let format: String
    private let bufferBytes: Int
    /// The output's name.
    private let output: String
    /// Of a muxer that makes files there.
    private let files: CarriedFiles?
    /// nil: the destination may take nothing for as long as it likes.
    private let stall: StallBound?
    private var flushes = 0
    private var streamCount = 0

    /// `destination` is a URL, a device, or with `files` the first name of what a muxer makes.
    package init(
        over line: any ByteLine, to destination: Destination, format: String, bufferBytes: Int, files: CarriedFiles? = nil,
        output: String = "", stall: StallBound? = nil
    ) {
        self.stall = stall
        self.output = output
        self.files = files
        self.line = RecordLine(line)
        self.destination = destination
        self.format = format
        self.bufferBytes = bufferBytes
        inbox = CarrierInbox()
    }

    deinit { end() }

    package func open(_ opening: ContainerOpening) throws(StreamWriterError) -> OpenedContainer {
        try startListening()
        streamCount = opening.streams.count
        for stream in opening.streams { try send { () throws(PacketLogError) in try line.send(stream) } }
        var order = CarrierOrder(
            name: destination.name, isDevice: destination.isDevice, format: format, bufferBytes: bufferBytes,
            metadata: opening.metadata, option: opening.option, timeout: opening.timeout, resumes: opening.resumes, files: files)
        order.uploadFields = destination.uploadFields
        order.output = output
        try send { [order] () throws(PacketLogError) in try line.send(.open(order)) }
        let opened = try awaitOpened(opening)
        guard opened.times.count == streamCount else { throw Self.nonsense }
        return opened
    }

    private static let nonsense = StreamWriterError(.destinationFailed, "what writes to the destination says what can't be")

    /// libav gives opening up by itself, but for calls that ask for nothing, such as looking a name up.
    private func awaitOpened(_ opening: ContainerOpening) throws(StreamWriterError) -> OpenedContainer {
        guard let seconds = opening.timeout else { return try inbox.answer { $0.opened } }
        if destination.awaitsPeer(option: opening.option) {
            // As long as it likes, until it has connected.
            let opened = try inbox.answer { said in said.opened.map { .some($0) } ?? (said.hasPeer ? .some(nil) : nil) }
            if let opened { return opened }
        }
        let time = Duration.seconds(seconds) + (destination.givesOpeningUp ? Limits.openingGrace : .zero)
        guard let opened = try inbox.answer(until: .after(time), { $0.opened }) else {
            end()
            throw .timedOut(after: seconds)
        }
        return opened
    }

    package func write(_ packet: Packet, moreFollows: Bool) throws(StreamWriterError) {
        try inbox.check()
        try send { () throws(PacketLogError) in try line.send(packet) }
    }

    /// The other side sends them once nothing follows.
    package func sendGathered() throws(StreamWriterError) { try inbox.check() }

    package func flush() throws(StreamWriterError) {
        try send { () throws(PacketLogError) in try line.send(.flush) }
        flushes += 1
        try awaitAnswer { [flushes] in $0.flushes >= flushes ? () : nil }
    }

    package func finish() throws(StreamWriterError) -> FinishedContainer {
        try send { () throws(PacketLogError) in try line.send(.finish) }
        let finished = try awaitAnswer { $0.finished }
        guard finished.written.count == streamCount, finished.secondsLate.count == streamCount else { throw Self.nonsense }
        return finished
    }

    package func interrupt() { end() }

    package func whenBroken(_ handler: @escaping @Sendable (StreamWriterError) -> Void) { inbox.whenBroken(handler) }

    private func end() {
        inbox.noteEnd()
        line.end()
    }

    package var bytesWritten: Int64 { inbox.progress.bytesWritten }
    package var heldBytes: Int { Int(inbox.progress.heldBytes) }
    package var forcedUpTo: Double? { inbox.progress.forcedUpTo }

    private func send(_ body: () throws(PacketLogError) -> Bool) throws(StreamWriterError) {
        do throws(PacketLogError) {
            if try body() { return }
        } catch {
            throw StreamWriterError(error.kind == .outOfMemory ? .outOfMemory : .unsupportedValue, error.reason, parameter: "encoder")
        }
        // Why it takes no more it has said, or will not any more.
        if try inbox.answer(until: .after(Self.reasonTime), { _ in nil as Void? }) == nil { throw stalled() }
    }

    private static let reasonTime = Duration.seconds(1)

    /// Ends the carrier.
    private func stalled() -> StreamWriterError {
        end()
        let text = stall.map { " for \(StreamWriterError.text($0.seconds)) seconds (\($0.setting))" } ?? ""
        return StreamWriterError(.destinationFailed, "the destination has taken nothing\(text)")
    }

    /// As long as the carrier gets on.
    private func awaitAnswer<R>(_ find: (CarrierInbox.Said) -> R?) throws(StreamWriterError) -> R {
        guard let stall else { return try inbox.answer(find) }
        var before = inbox.progress
        while true {
            if let found = try inbox.answer(until: .after(.seconds(stall.seconds)), find) { return found }
            let now = inbox.progress
            if now == before { throw stalled() }
            before = now
        }
    }

    private func startListening() throws(StreamWriterError) {
        do throws(SystemThread.Unavailable) {
            try SystemThread.start(name: "carrier") { [line, inbox] in inbox.listen(to: line) }
        } catch {
            throw StreamWriterError(.outOfMemory, "the system has no thread for an output")
        }
    }
}

/// How long a destination may take nothing.
public struct StallBound: Sendable, Equatable {
    public let seconds: Double
    /// What it is set by, for its error: "--output-stall-timeout".
    public let setting: String

    public init(seconds: Double, setting: String) {
        self.seconds = seconds
        self.setting = setting
    }
}

/// What a carrier in another process has said.
private final class CarrierInbox: Sendable {
    struct Said {
        /// The carrier's process is there.
        var hasBegun = false
        var opened: OpenedContainer?
        var hasPeer = false
        var flushes = 0
        var finished: FinishedContainer?
        var progress = CarrierProgress()
        var failure: StreamWriterError?
        var hasEnded = false
        /// It was told to.
        var isEndedFromHere = false
        var whenBroken: (@Sendable (StreamWriterError) -> Void)?
    }

    private let said = Monitor(Said())

    var progress: CarrierProgress { said.withLock { $0.progress } }

    /// A thread of its own.
    func listen(to line: RecordLine) {
        do throws(PacketLogError) {
            try line.receiveAll(mostBytes: RecordLine.mostAnswerBytes) { (record) throws(PacketLogError) in try take(record) }
        } catch {
            said.change { $0.failure = $0.failure ?? StreamWriterError(.destinationFailed, "what writes to the destination can't be understood: \(error.reason)") }
        }
        line.end()
        said.change { $0.hasEnded = true }
        tellBreak()
    }

    func whenBroken(_ handler: @escaping @Sendable (StreamWriterError) -> Void) {
        said.change { $0.whenBroken = handler }
        tellBreak()
    }

    private func tellBreak() {
        let (error, handler) = said.withLock { ($0.breakage, $0.whenBroken) }
        if let error, let handler { handler(error) }
    }

    /// What comes of it is no failure of the other side's.
    func noteEnd() { said.change { $0.isEndedFromHere = true } }

    private func take(_ record: PacketLogRecord) throws(PacketLogError) -> Bool {
        guard case .other(let kind, let payload) = record else { throw PacketLogError(.malformed, "it sends packets") }
        let message = try CarrierMessage(kind: kind, payload: payload)
        return try said.change { said -> Result<Bool, PacketLogError> in
            switch message {
            case .begun: said.hasBegun = true
            case .opened(let opened): said.opened = opened
            case .progress(let progress): said.progress = progress
            case .peerConnected: said.hasPeer = true
            case .flushed: said.flushes += 1
            case .finished(let finished): said.finished = finished
            case .failed(let error):
                said.failure = error
                return .success(false)
            case .open, .flush, .finish: return .failure(PacketLogError(.malformed, "it says what only an encoder says"))
            }
            return .success(true)
        }.get()
    }

    func check() throws(StreamWriterError) {
        if let error = said.withLock({ $0.error }) { throw error }
    }

    func answer<R>(_ find: (Said) -> R?) throws(StreamWriterError) -> R {
        try answer(until: .never, find)!
    }

    /// nil: not by then.
    func answer<R>(until deadline: Deadline, _ find: (Said) -> R?) throws(StreamWriterError) -> R? {
        try said.wait(until: deadline) { said -> Result<R, StreamWriterError>? in
            if let found = find(said) { return .success(found) }
            return said.error.map { .failure($0) }
        }?.get()
    }
}

extension CarrierInbox.Said {
    /// It does no more, and was not to end.
    fileprivate var breakage: StreamWriterError? { hasEnded && !isEndedFromHere && finished == nil ? error : nil }

    /// It does no more.
    fileprivate var error: StreamWriterError? {
        if let failure { return failure }
        if !hasEnded { return nil }
        if hasBegun { return StreamWriterError(.destinationFailed, "the process that writes to the destination has ended") }
        return StreamWriterError(.noProcess, "the server had no process for what writes to the destination, which was not tried")
    }
}

extension Destination {
    /// The same URL or device, written by the process at the far end of `line`; with `files` what a muxer makes.
    /// `output` is its name among the writer's. One that takes nothing for longer than `stall` says has failed; nil: it may
    /// take as long as it likes.
    public func carried(
        over line: any ByteLine, format: String, bufferSize: Int?, files: CarriedFiles? = nil, output: String = "", stall: StallBound? = nil
    ) -> Destination {
        let carrier = RemoteCarrier(
            over: line, to: self, format: format, bufferBytes: bufferSize ?? OutputIO.defaultBufferBytes, files: files,
            output: output, stall: stall)
        var carried = Destination.carried(name, by: carrier)
        carried.makesFiles = files != nil
        return carried
    }
}
