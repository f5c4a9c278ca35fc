import Synchronization

/// The first thing that went wrong in a writer; every later call answers with it. Any thread.
final class FirstFailure: Sendable {
    private let first = Mutex<StreamWriterError?>(nil)

    /// Notes an error; the first one noted.
    @discardableResult
    func record(_ error: StreamWriterError) -> StreamWriterError {
        first.withLock { first in
            if first == nil { first = error }
            return first!
        }
    }

    func check() throws(StreamWriterError) {
        if let error = error { throw error }
    }

    var error: StreamWriterError? { first.withLock { $0 } }
}
