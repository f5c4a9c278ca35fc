internal import CLibav
import Synchronization
import Threading

/// Says to a libav call that blocks on the network that it should give up: when it is told to, or when its time
/// is over. Any thread.
package final class Interruption: Sendable {
    fileprivate struct State {
        var isRequested = false
        var deadline = Deadline.never
        var hasTimedOut = false
    }

    private let state = Mutex(State())

    package init() {}

    package func request() { state.withLock { $0.isRequested = true } }

    package var isRequested: Bool {
        state.withLock { state in
            if state.deadline.hasPassed { state.timeOut() }
            return state.isRequested
        }
    }

    /// From now on until `lift`, what runs gives up at `deadline`, and all that follows.
    package func limit(until deadline: Deadline) { state.withLock { $0.deadline = deadline } }

    package func lift() { state.withLock { $0.deadline = .never } }

    /// Whether a call was given up because its time was over.
    package var hasTimedOut: Bool { state.withLock { $0.hasTimedOut } }

    /// Must live as long as libav may ask it.
    var callback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { opaque in
                guard let opaque else { return 0 }
                let interruption = Unmanaged<Interruption>.fromOpaque(opaque).takeUnretainedValue()
                return interruption.isRequested ? 1 : 0
            },
            opaque: Unmanaged.passUnretained(self).toOpaque())
    }
}

extension Interruption.State {
    fileprivate mutating func timeOut() {
        // What was told to give up before did not run out of time.
        if !isRequested { hasTimedOut = true }
        isRequested = true
        deadline = .never
    }
}
