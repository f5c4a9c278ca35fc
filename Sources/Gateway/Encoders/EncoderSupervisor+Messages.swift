import APICore
import HTTPServer
import SystemIO
import WriterModel

// What encoders say.
extension EncoderSupervisor {
    /// What one encoder may say before the others have their turn: the loop comes back to it.
    private static let mostEvents = 64
    private static let mostBytes = 256 * 1_024

    package func receive(_ link: EncoderLink) {
        guard takeTurn(link) else { return }
        carriers.encoderEnded(link)
        ends.take(.socketEnded, of: link)
    }

    func receiveFromCatalog(_ link: EncoderLink) {
        guard takeTurn(link) else { return }
        forgetCatalog(link)
        ends.take(.socketEnded, of: link)
    }

    /// True once no more comes of the encoder, or is taken.
    private func takeTurn(_ link: EncoderLink) -> Bool {
        loop.preconditionOnLoop()
        if link.isOver { return false }
        var bytes = 0
        var events = 0
        while events < Self.mostEvents, bytes < Self.mostBytes, let event = link.nextEvent(&bytes) {
            events += 1
            if take(event, of: link) { return true }
        }
        return false
    }

    private func take(_ event: consuming EncoderLink.Event, of link: EncoderLink) -> Bool {
        switch consume event {
        case .changed: tellOfChange(link)
        case .madeWriter:
            ends.take(.madeWriter, of: link)
            tellOfChange(link)
        case .claimed(let claim, let isFirst): note(claim, of: link, isFirst: isFirst)
        case .concluded(let outcome):
            // Its writer is deleted, or never was.
            if outcome == .discarded { carriers.encoderEnded(link) }
            ends.take(.concluded(outcome), of: link)
        case .carrierWanted(let number, let store, let packets): carriers.start(number, to: store, of: link, packets: packets)
        case .counted(let counts): tally.add(counts, of: link.writer)
        case .returned(let connection, let unread, let passes):
            let most = configuration.limits.maxHeadBytes + HTTPServer.mostUnreadBesideHead
            if unread.count > most { return distrust(link, "more unread bytes than a connection has") }
            // One that has ended can't send it to and fro: it is passed to another one next.
            connections.takeBack(connection, unread: unread, passes: link.outcome == nil ? passes : 0)
        case .released(let connection, let end): connections.close(connection, end)
        case .improper(let what): return distrust(link, what)
        case .ended:
            link.unwatch(on: loop)
            return true
        }
        return false
    }

    /// What no encoder of ours says was said by one that has been taken over: nothing more of it is heard.
    private func distrust(_ link: EncoderLink, _ what: String) -> Bool {
        log.error("an encoder says what it may not and is killed", metadata: ["writer": "\(link.writer)", "detail": "\(what)"])
        ends.kill(link, for: .improper)
        carriers.kill(of: link)
        link.unwatch(on: loop)
        return true
    }

    /// Its encoder waits for the receipt before it says that there is a writer, or makes a file.
    private func note(_ claim: OutputClaim, of link: EncoderLink, isFirst: Bool) {
        let origin = WriterOrigin(createdAt: link.createdAt, idempotencyKey: link.idempotencyKey, claim: claim, folder: link.folder)
        do throws(SystemError) {
            try records.note(origin, of: link.writer)
        } catch {
            return claimIsNotKept(error, of: link)
        }
        guard isFirst, let webhooks else { return link.tell(.kept) }
        webhooks.watch(link.writer, callback: link.callback, by: link.settings?.callbacks) { [self] error in
            if let error { claimIsNotKept(error, of: link) } else { link.tell(.kept) }
        }
    }

    private func claimIsNotKept(_ error: SystemError, of link: EncoderLink) {
        log.error("what a writer writes to can't be kept", metadata: ["writer": "\(link.writer)", "error": "\(error)"])
        link.tell(error.isOutOfSpace ? .noSpace : .notKept)
    }

    private func tellOfChange(_ link: EncoderLink) {
        guard link.takeChange() else { return }
        let isWatched = webhooks?.isWatched(link.writer) ?? false
        // A snapshot is parsed anew: of a writer that names no outputs once is enough.
        guard isWatched || link.mayTellOfOutputs, let snapshot = link.snapshot else { return }
        ends.tellOfOutputs(of: link, snapshot)
        if isWatched { webhooks?.changed(link.writer, snapshot) }
    }
}
