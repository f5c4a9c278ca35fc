import APICore
import HTTPServer
import Synchronization
import WriterModel

/// In place of a service that can't be given: tells the client why, and ends.
final class RefusingService: EncoderService {
    private let problem: Problem
    private let report: @Sendable (ControlMessage) -> Void
    private let isOver = Atomic(false)

    init(_ problem: Problem, report: @escaping @Sendable (ControlMessage) -> Void) {
        self.problem = problem
        self.report = report
    }

    var isConcluded: Bool { isOver.load(ordering: .relaxed) }
    var snapshot: WriterRecord? { nil }
    func interruptUploads() {}
    func end(because reason: EndReason) { conclude() }

    func handle(_ exchange: Exchange) {
        exchange.respond(with: problem)
        conclude()
    }

    private func conclude() {
        if !isOver.exchange(true, ordering: .relaxed) { report(.discarded) }
    }
}
