import APICore
import StreamWriter
import SystemIO
import WriterModel

// The end of a writer that a thread is stuck in: nothing is waited for, and what the thread holds goes
// with the process.
extension WriterResource {
    /// How long a writer that is deleted may take to stop what it is at.
    static let patience = Duration.seconds(2)

    var callsUnderWay: [CallUnderWay] { state.withLock { $0.parts }?.writer.callsUnderWay ?? [] }

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// The writer has failed; one that was still being made never was.
    func failWithoutWaiting(_ problem: Problem) {
        let (isCreated, hasOpened, parts) = state.withLock { ($0.isCreated, $0.hasOpened, $0.parts) }
        guard isCreated else {
            deleteWithoutWaiting()
            return
        }
        state.withLock { $0.isAbandoned = true }
        if !hasOpened { parts?.place.remove() }
        conclude(.failed, failure(problem))
        parts?.writer.failWithoutWaiting(problem.detail)
    }

    /// There is no such writer, nor what it wrote; gives the names of files that others have put there. Nil:
    /// it has ended by itself meanwhile.
    @discardableResult
    func deleteWithoutWaiting() -> [String]? {
        let (parts, isLate) = state.withLock { state in
            switch state.phase {
            case .ended, .discarded: return (nil as Parts?, true)
            case .absent, .alive: break
            }
            state.isAbandoned = true
            return (state.parts, false)
        }
        if isLate { return nil }
        let left = parts?.place.remove() ?? []
        discard()
        parts?.writer.failWithoutWaiting("the writer was deleted")
        return left
    }
}

extension WriterLimits {
    init(_ limits: ServiceLimits) {
        self.init()
        pixels = limits.maxPixels
        channels = limits.maxChannels
        streams = limits.maxStreams
        if limits.maxThreads > 0 { threads = limits.maxThreads }
    }
}
