internal import CCurl
import Glibc
import Threading

/// The client's thread: everything that libcurl does is done here.
final class TransferLoop {
    /// How often stalls are looked for.
    private static let tick: Duration = .milliseconds(250)

    private let mailbox: Mailbox
    private let rules: ConnectionRules
    private var multi: CurlMulti { mailbox.multi }
    private var running: [UnsafeMutableRawPointer: (transfer: Transfer, delivery: Delivery)] = [:]
    private var pausing: [(delivery: Delivery, until: Deadline)] = []
    private var isInterrupted = false

    init(_ mailbox: Mailbox, _ rules: ConnectionRules) { (self.mailbox, self.rules) = (mailbox, rules) }

    func run() {
        // libcurl is told to leave signals alone, and a peer that goes is one of its errors.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        while true {
            let letters = mailbox.take()
            isInterrupted = isInterrupted || letters.isInterrupted
            for delivery in letters.begun { begin(delivery) }
            for delivery in letters.resumed { running.values.first { $0.delivery === delivery }?.transfer.resume() }
            if isInterrupted { end { !$0.plan.survivesInterruption } }
            for delivery in letters.cancelled { end { $0 === delivery } }
            if letters.isClosed { return end { _ in true } }
            beginPaused()
            multi.perform()
            while let (easy, code) = multi.nextEnded() { ended(easy, code) }
            endOverdue()
            multi.wait(milliseconds: waitTime)
        }
    }

    private var waitTime: Int {
        let pause = pausing.map(\.until.timeLeft).min() ?? .seconds(60)
        return min(pause, running.isEmpty ? pause : Self.tick).milliseconds
    }

    private func begin(_ delivery: Delivery) {
        if isInterrupted && !delivery.plan.survivesInterruption { return delivery.interrupted() }
        do throws(UploadError) {
            let transfer = try delivery.transfer(rules)
            guard multi.add(transfer.easy) else { throw UploadError(.local, delivery.plan.doing, "libcurl does not take the request") }
            running[transfer.easy.handle] = (transfer, delivery)
        } catch { go(on: delivery, delivery.failed(error, isPassing: false, retryAfter: nil)) }
    }

    private func go(on delivery: Delivery, _ next: Delivery.Next) {
        if case .again(let pause) = next { pausing.append((delivery, .after(pause))) }
    }

    private func beginPaused() {
        let due = pausing.filter(\.until.hasPassed).map(\.delivery)
        pausing.removeAll { pause in due.contains { $0 === pause.delivery } }
        for delivery in due { begin(delivery) }
    }

    private func ended(_ easy: UnsafeMutableRawPointer, _ code: CURLcode) {
        guard let (transfer, delivery) = running.removeValue(forKey: easy) else { return }
        let result = transfer.result(code)
        multi.remove(transfer.easy)
        go(on: delivery, delivery.ended(result, of: transfer.request, rules))
    }

    private func endOverdue() {
        for (easy, (transfer, delivery)) in running {
            guard let error = transfer.overdue() else { continue }
            running[easy] = nil
            multi.remove(transfer.easy)
            go(on: delivery, delivery.ended(.failure(error), of: transfer.request, rules))
        }
    }

    /// Interrupts those.
    private func end(_ isMeant: (Delivery) -> Bool) {
        for (easy, (transfer, delivery)) in running where isMeant(delivery) {
            running[easy] = nil
            multi.remove(transfer.easy)
            delivery.interrupted()
        }
        let ended = pausing.map(\.delivery).filter(isMeant)
        pausing.removeAll { pause in ended.contains { $0 === pause.delivery } }
        for delivery in ended { delivery.interrupted() }
    }
}
