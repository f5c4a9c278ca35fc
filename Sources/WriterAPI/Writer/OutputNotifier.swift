import HTTPServer
import Synchronization

/// Tells followers that an output was opened, has grown or has ended.
package final class OutputNotifier: FileGrowth {
    private struct State {
        var version = 1
        var end: FileEnd?
        var wakes = WakeList()
    }

    private let state = Mutex(State())

    package init() {}

    package func grew() { change { _ in } }

    package func ended(_ end: FileEnd) { change { $0.end = $0.end ?? end } }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.withLock { state in
            state.version += 1
            body(&state)
            return state.wakes.takeAll()
        }
        for wake in wakes { wake() }
    }

    package var current: (version: Int, end: FileEnd?) { state.withLock { ($0.version, $0.end) } }

    package func whenChanged(since version: Int, _ wake: @escaping WakeList.Wake) -> CancelWake {
        let number = state.withLock { state in state.version > version ? nil : state.wakes.add(wake) }
        guard let number else {
            wake()
            return {}
        }
        return { [self] in state.withLock { $0.wakes.remove(number) } }
    }
}
