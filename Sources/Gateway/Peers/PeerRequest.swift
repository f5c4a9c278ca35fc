import HTTP1
import SystemIO

/// One GET to another node, without a thread: it goes on when the event loop says that its socket is ready. No
/// redirect is followed, and no connection kept.
package final class PeerRequest: @unchecked Sendable {
    // Unchecked: all that changes belongs to the loop's thread.
    package enum Outcome: Sendable {
        case responded(status: Int, body: [UInt8], PeerBudget.Share)
        /// Of timeout, unreachable, unresolved, unusable and busy.
        case failed(PeerResult)
    }

    private let bytes: [UInt8]
    private let loop: EventLoop
    private let share: PeerBudget.Share
    /// Those that have not been tried.
    private var addresses: [SocketAddress]
    private let attemptDelay: Duration
    /// Connections that have been begun, by their descriptors. The first that comes about is the request's.
    private var attempts: [Int32: EventLoop.Token] = [:]
    private var attemptsBegun = 0
    private var reader: ResponseReader
    private var connection: Int32?
    private var watch: EventLoop.Token?
    private var sent = 0
    private var onEnd: (@Sendable (Outcome) -> Void)?
    private var buffer: [UInt8] = []

    private static let bufferBytes = 64 * 1_024

    /// `onEnd` is called once, on the loop's thread. `bytes` are the whole request, which closes its connection. An
    /// address that is silent for `attemptDelay` is waited for beside the next one (RFC 8305 §5).
    init(
        _ bytes: [UInt8], to addresses: [SocketAddress], attemptDelay: Duration, maxBodyBytes: Int, share: PeerBudget.Share, loop: EventLoop,
        onEnd: @escaping @Sendable (Outcome) -> Void
    ) {
        self.bytes = bytes
        self.addresses = addresses
        self.attemptDelay = attemptDelay
        self.share = share
        self.loop = loop
        self.onEnd = onEnd
        reader = ResponseReader(maxBodyBytes: maxBodyBytes)
    }

    func start() { loop.post { [self] in connect() } }

    /// It has failed with `result`, unless it has ended.
    package func giveUp(_ result: PeerResult) { loop.post { [self] in end(.failed(result)) } }

    /// Tries the next address, beside those that are being tried.
    private func connect() {
        while onEnd != nil, connection == nil, !addresses.isEmpty {
            guard let number = try? Socket.beginConnecting(to: addresses.removeFirst()) else { continue }
            return attempt(number)
        }
        if connection == nil, attempts.isEmpty { end(.failed(.unreachable)) }
    }

    private func attempt(_ number: Int32) {
        do throws(SystemError) {
            attempts[number] = try loop.watch(number, for: .writable) { [self] in settle(number) }
        } catch {
            _ = Descriptor(owning: number)
            return end(.failed(.busy))
        }
        attemptsBegun += 1
        if addresses.isEmpty { return }
        loop.post(at: .after(attemptDelay)) { [weak self, attemptsBegun] in
            // Unless that one has failed, and another was begun.
            if let self, self.attemptsBegun == attemptsBegun { connect() }
        }
    }

    /// An attempt has come to something.
    private func settle(_ number: Int32) {
        guard let watch = attempts.removeValue(forKey: number) else { return }
        loop.unwatch(number, watch)
        if Socket.connectError(of: number) != nil {
            _ = Descriptor(owning: number)
            return connect()
        }
        endAttempts()
        connection = number
        watchConnection(for: .writable) { [self] in proceedSending() }
    }

    private func endAttempts() {
        for (number, watch) in attempts {
            loop.unwatch(number, watch)
            _ = Descriptor(owning: number)
        }
        attempts = [:]
    }

    private func proceedSending() {
        guard let connection else { return }
        let progress = bytes.withUnsafeBytes { Socket.sendAvailable(connection, UnsafeRawBufferPointer(rebasing: $0[sent...])) }
        guard case .moved(let count) = progress else { return end(.failed(.unreachable)) }
        sent += count
        if sent < bytes.count { return }
        endWatch()
        watchConnection(for: .readable) { [self] in proceedReceiving() }
    }

    private func proceedReceiving() {
        guard let connection else { return }
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.bufferBytes) }
        // One piece each time: the loop has other work.
        guard let progress = buffer.withUnsafeMutableBytes({ Socket.receiveAvailable(connection, into: $0) }) else { return }
        do throws(ResponseReader.Failure) {
            switch progress {
            case .moved(let count): try take(count)
            case .ended, .timedOut: try reader.end()
            }
        } catch {
            return end(.failed(error == .cut ? .unreachable : .unusable))
        }
        if !share.grow(to: reader.body.count) { return end(.failed(.busy)) }
        if reader.isWhole, let status = reader.status { end(.responded(status: status.code, body: reader.body, share)) }
    }

    private func take(_ count: Int) throws(ResponseReader.Failure) {
        let taken = buffer.withUnsafeBytes { bytes in
            Result { () throws(ResponseReader.Failure) in try reader.take(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
        }
        try taken.get()
    }

    private func watchConnection(for interest: EventLoop.Interest, _ onReady: @escaping @Sendable () -> Void) {
        guard let connection else { return }
        do throws(SystemError) {
            watch = try loop.watch(connection, for: interest, onReady)
        } catch {
            end(.failed(.busy))
        }
    }

    private func endWatch() {
        if let connection, let watch { loop.unwatch(connection, watch) }
        watch = nil
    }

    private func closeConnection() {
        endWatch()
        if let connection { _ = Descriptor(owning: connection) }
        connection = nil
    }

    private func end(_ outcome: Outcome) {
        endAttempts()
        closeConnection()
        buffer = []
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?(outcome)
    }

    deinit {
        for number in attempts.keys { _ = Descriptor(owning: number) }
        if let connection { _ = Descriptor(owning: connection) }
    }
}
