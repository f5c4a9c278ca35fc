import Synchronization
import SystemIO
import Threading

/// The file of secrets, read again when it changes. Where it has become unusable, what it had stays in force.
package final class WebhookSecretFile: Sendable {
    private struct State {
        var stamp: File.Stamp?
        var secrets: WebhookSecrets?
    }

    package struct Unusable: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package let path: String
    private let state = Mutex(State())
    private static let maxBytes = 64 * 1_024

    package init(path: String) { self.path = path }

    /// As it is now, for the first time. One that is being written is waited for, a second at most.
    package func read() throws(Unusable) -> WebhookSecrets {
        let limit = Deadline.after(.seconds(1))
        while true {
            if let secrets = try readNow() { return secrets }
            if limit.hasPassed { throw Unusable(description: "the file of webhook secrets \(path) is being written") }
            SystemThread.sleep(.milliseconds(20))
        }
    }

    /// Those in force. `onFlaw` is called once for each change that can't be used, and `onChange` for one that can.
    package func current(onFlaw: (Unusable) -> Void, onChange: () -> Void) -> WebhookSecrets? {
        let stamp = File.stamp(path)
        let (known, before) = state.withLock { ($0.stamp, $0.secrets) }
        if stamp == known && before != nil { return before }
        do throws(Unusable) {
            guard let secrets = try readNow() else { return before }
            if secrets != before { onChange() }
            return secrets
        } catch {
            state.withLock { $0.stamp = stamp }
            onFlaw(error)
            return before
        }
    }

    /// nil: it changed while it was read.
    private func readNow() throws(Unusable) -> WebhookSecrets? {
        let contents: File.Contents<Result<WebhookSecrets, WebhookSecrets.Flaw>>
        do throws(SystemError) {
            contents = try File.withContents(path, limit: Self.maxBytes) { bytes in
                Result { () throws(WebhookSecrets.Flaw) in try WebhookSecrets(bytes) }
            }
        } catch {
            throw Unusable(description: "the file of webhook secrets can't be read: \(error.description)")
        }
        switch contents {
        case .changed: return nil
        case .notRegular: throw Unusable(description: "the file of webhook secrets \(path) is no regular file")
        case .tooLarge: throw Unusable(description: "the file of webhook secrets \(path) has more than \(Self.maxBytes) bytes")
        case .read(.failure(let flaw), _): throw Unusable(description: "the file of webhook secrets \(path), line \(flaw.line): \(flaw.reason)")
        case .read(.success(let secrets), let stamp):
            // A change right now might leave the stamp as it is: looked at once more.
            state.withLock { $0 = State(stamp: stamp.isFresh ? nil : stamp, secrets: secrets) }
            return secrets
        }
    }
}
