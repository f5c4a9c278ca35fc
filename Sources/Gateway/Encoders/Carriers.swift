import HTTPServer
import Logging
import Synchronization
import SystemIO
import WriterModel

/// The carriers of all writers' encoders: has them forked, knows which writer has which, and kills those that outlive
/// their encoder. What a carrier says is not heard. Where its encoder is after it, the end of the socket that the two
/// speak on tells it of the carrier's.
package final class Carriers: Sendable {
    /// One carrier, from the moment that it is asked for to the end of its process.
    private struct Carrier {
        let link: EncoderLink
        /// As its encoder calls it.
        let number: UInt32
        /// The gateway's end, by whose end that of the process is seen.
        let control: MessageSocket
        var watch: EventLoop.Token?
        /// nil: its turn has not come, or the fork server is at it.
        var process: Int32?
        /// It has closed its control socket, which it does by ending.
        var hasHungUp = false
        /// It is to be killed then.
        var lastMoment: ContinuousClock.Instant?
        var isKilled = false
    }

    private struct State {
        var bySerial: [UInt64: Carrier] = [:]
        var byProcess: [Int32: UInt64] = [:]
        var byWriter: [WriterID: Set<UInt64>] = [:]
        var lastSerial: UInt64 = 0

        func serials(of link: EncoderLink) -> [UInt64] {
            // An earlier writer may have had the same id.
            byWriter[link.writer, default: []].filter { bySerial[$0]?.link === link }
        }

        /// The caller ends its watch.
        mutating func remove(_ serial: UInt64) -> Carrier? {
            guard let carrier = bySerial.removeValue(forKey: serial) else { return nil }
            if let process = carrier.process { byProcess[process] = nil }
            let writer = carrier.link.writer
            byWriter[writer]?.remove(serial)
            if byWriter[writer]?.isEmpty == true { byWriter[writer] = nil }
            return carrier
        }
    }

    private let starter: EncoderStarter
    private let loop: EventLoop
    private let log: Logger
    private let state = Mutex(State())

    /// How long a carrier may outlive its encoder, and what is known of its process outlive its control socket.
    private static let grace = Duration.seconds(2)
    /// The same where it may have to take back what it has sent to a store.
    private static let graceOfUploads = Duration.seconds(15)
    /// What one carrier may say before others have their turn.
    private static let mostMessages = 64

    init(_ starter: EncoderStarter, loop: EventLoop, log: Logger) {
        self.starter = starter
        self.loop = loop
        self.log = log
    }

    /// Those whose processes are at work.
    package var countAtWork: Int { state.withLock { $0.bySerial.values.count { $0.process != nil && !$0.hasHungUp } } }

    /// Not one is asked for, at work, or ending.
    var isEmpty: Bool { state.withLock { $0.bySerial.isEmpty } }

    // MARK: Beginning

    /// An encoder asks for a carrier that gets `packets`, and the keys of `store`. Where it gets none, that is closed.
    func start(_ number: UInt32, to store: String?, of link: EncoderLink, packets: consuming Descriptor) {
        guard let settings = link.settings, !link.hasEnded else { return }
        let limit = settings.limits.maxOutputs
        guard hasRoom(link, for: limit) else {
            return log.notice(
                "a carrier is not started: its writer has as many as it may",
                metadata: ["writer": "\(link.writer.key)", "carrier": "\(number)", "limit": "\(limit)"])
        }
        do throws(SystemError) {
            let (ours, theirs) = try DescriptorPair.messageSockets().split()
            let control = MessageSocket(owning: ours)
            let theirEnd = Descriptor(owning: theirs)
            // An empty socket has room.
            guard control.send(ControlMessage.start(starter.ofCarrier(settings, to: store)).encoded, passing: packets.number, timeout: .zero) == .sent else {
                throw SystemError("tell a carrier its settings", number: SystemError.tryAgain)
            }
            try fork(add(Carrier(link: link, number: number, control: control)), of: link, theirEnd)
        } catch {
            log.error(
                "a carrier can't be started",
                metadata: ["writer": "\(link.writer.key)", "carrier": "\(number)", "error": "\(error)"])
        }
    }

    /// One that has ended makes room for another at once, though its process's end may yet have to be heard of.
    private func hasRoom(_ link: EncoderLink, for limit: Int) -> Bool {
        func count() -> Int { state.withLock { state in state.serials(of: link).count { state.bySerial[$0]?.hasHungUp == false } } }
        if count() < limit { return true }
        for serial in state.withLock({ $0.serials(of: link) }) { hear(serial) }
        return count() < limit
    }

    private func add(_ carrier: Carrier) -> UInt64 {
        state.withLock { state in
            state.lastSerial += 1
            state.bySerial[state.lastSerial] = carrier
            state.byWriter[carrier.link.writer, default: []].insert(state.lastSerial)
            return state.lastSerial
        }
    }

    private func fork(_ serial: UInt64, of link: EncoderLink, _ theirEnd: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            guard let control = state.withLock({ $0.bySerial[serial]?.control }) else { return }
            let token = try loop.watch(control.descriptor) { [self] in hear(serial) }
            state.withLock { $0.bySerial[serial]?.watch = token }
            let subject = ForkSubject.carrier(link.writer, serial: serial)
            guard starter.fork(subject, passing: theirEnd, for: link.client, isWanted: { [self] in isWanted(serial) }) else {
                throw SystemError("start a carrier: the fork server is being restarted", number: SystemError.tryAgain)
            }
        } catch {
            forget(serial)
            throw error
        }
    }

    private func isWanted(_ serial: UInt64) -> Bool { state.withLock { $0.bySerial[serial].map { $0.lastMoment == nil } ?? false } }

    /// Nothing is heard of it any more. What it was to be passed is closed.
    @discardableResult
    private func forget(_ serial: UInt64) -> Bool {
        guard let carrier = state.withLock({ $0.remove(serial) }) else { return false }
        if let token = carrier.watch { loop.unwatch(carrier.control.descriptor, token) }
        return true
    }

    // MARK: What the fork server says

    func forked(_ serial: UInt64, process: Int32) {
        let isDue = state.withLock { state in
            // Once: a carrier has one process, and a process is one carrier.
            guard let carrier = state.bySerial[serial], carrier.process == nil, state.byProcess[process] == nil else { return false }
            state.bySerial[serial]?.process = process
            state.byProcess[process] = serial
            return carrier.lastMoment != nil
        }
        if isDue { endOverdue() }
    }

    func notForked(_ serial: UInt64) { forget(serial) }

    /// False: it is no carrier's.
    func processEnded(_ process: Int32, _ end: ProcessEnd) -> Bool {
        guard let serial = state.withLock({ $0.byProcess[process] }),
            let carrier = state.withLock({ $0.bySerial[serial] }), forget(serial)
        else { return false }
        // One that was killed was logged then.
        if end != .exited(code: 0) && !carrier.isKilled {
            log.error(
                "a carrier has crashed or was killed",
                metadata: ["writer": "\(carrier.link.writer.key)", "carrier": "\(carrier.number)", "pid": "\(process)", "detail": "it \(end)"])
        }
        return true
    }

    /// Of its control socket, of which only the end matters.
    private func hear(_ serial: UInt64) {
        guard let carrier = state.withLock({ $0.bySerial[serial] }), !carrier.hasHungUp else { return }
        for _ in 0..<Self.mostMessages {
            switch carrier.control.receive(waiting: false) {
            case .nothing: return
            case .message(_, let descriptor): if let descriptor { _ = Descriptor(owning: descriptor) }
            case .ended:
                let token = state.withLock { state in
                    state.bySerial[serial]?.hasHungUp = true
                    return state.bySerial[serial]?.watch.take()
                }
                if let token { loop.unwatch(carrier.control.descriptor, token) }
                return end([serial], within: Self.grace)
            }
        }
    }

    // MARK: The end

    /// The encoder has ended, or its writer is deleted: its carriers end by themselves, as their sockets have, or are
    /// killed.
    func encoderEnded(_ link: EncoderLink) {
        let mayUpload = link.settings?.policy.stores.isEmpty == false
        end(state.withLock { $0.serials(of: link) }, within: mayUpload ? Self.graceOfUploads : Self.grace)
    }

    /// Now, whatever they are at.
    func kill(of link: EncoderLink) {
        end(state.withLock { $0.serials(of: link) }, within: .zero)
        endOverdue()
    }

    /// All there are: the server ends.
    func killAll() {
        end(state.withLock { Array($0.bySerial.keys) }, within: .zero)
        endOverdue()
    }

    private func end(_ serials: [UInt64], within time: Duration) {
        if serials.isEmpty { return }
        let moment = ContinuousClock.now + time
        state.withLock { state in
            for serial in serials {
                let earlier = state.bySerial[serial]?.lastMoment
                state.bySerial[serial]?.lastMoment = min(earlier ?? moment, moment)
            }
        }
        if time > .zero { loop.post(at: .after(time)) { [self] in endOverdue() } }
    }

    /// Kills those whose time is over, and lets go of those that were killed and of whose end nobody tells.
    package func endOverdue(at now: ContinuousClock.Instant = .now) {
        let (overdue, lost) = state.withLock { state in
            let due = state.bySerial.filter { $0.value.process != nil && $0.value.lastMoment.map { $0 <= now } ?? false }
            for (serial, carrier) in due where !carrier.isKilled {
                state.bySerial[serial]?.isKilled = true
                state.bySerial[serial]?.lastMoment = now + Self.grace
            }
            return (due.filter { !$0.value.isKilled }.map(\.value), due.filter(\.value.isKilled).map(\.key))
        }
        for serial in lost { forget(serial) }
        for carrier in overdue {
            guard let process = carrier.process else { continue }
            log.notice(
                "a carrier has not ended in time and is killed",
                metadata: ["writer": "\(carrier.link.writer.key)", "carrier": "\(carrier.number)", "pid": "\(process)"])
            Signal.send(Signal.kill, to: process)
        }
        if !overdue.isEmpty { loop.post(at: .after(Self.grace)) { [self] in endOverdue() } }
    }
}
