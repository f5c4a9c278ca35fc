import HTTP1
import SystemIO

/// One GET to another node, without a thread: it goes on when the event loop says that its socket is ready. No
/// redirect is followed, and no connection kept.
final class PeerRequest: @unchecked Sendable {
    // Unchecked: all that changes belongs to the loop's thread.
    enum Outcome: Sendable {
        case responded(status: Int, body: [UInt8], PeerBudget.Share)
        /// Of timeout, unreachable, unresolved, unusable and busy.
        case failed(PeerResult)
    }

    private let bytes: [UInt8]
    private let loop: EventLoop
    private let share: PeerBudget.Share
    /// Those that have not been tried.
    private var addresses: [SocketAddress]
    private var reader: ResponseReader
    private var connection: Int32?
    private var watch: EventLoop.Token?
    private var sent = 0
    private var onEnd: (@Sendable (Outcome) -> Void)?
    private var buffer: [UInt8] = []

    private static let bufferBytes = 64 * 1_024

    /// `onEnd` is called once, on the loop's thread. `bytes` are the whole request, which closes its connection.
    init(
        _ bytes: [UInt8], to addresses: [SocketAddress], maxBodyBytes: Int, share: PeerBudget.Share, loop: EventLoop,
        onEnd: @escaping @Sendable (Outcome) -> Void
    ) {
        self.bytes = bytes
        self.addresses = addresses
        self.share = share
        self.loop = loop
        self.onEnd = onEnd
        reader = ResponseReader(maxBodyBytes: maxBodyBytes)
    }

    func start() { loop.post { [self] in connect() } }

    /// It has failed with `result`, unless it has ended.
    func giveUp(_ result: PeerResult) { loop.post { [self] in end(.failed(result)) } }

    private func connect() {
        closeConnection()
        while onEnd != nil, !addresses.isEmpty {
            guard let number = try? Socket.beginConnecting(to: addresses.removeFirst()) else { continue }
            connection = number
            return watchConnection(for: .writable) { [self] in proceedSending() }
        }
        end(.failed(.unreachable))
    }

    private func proceedSending() {
        guard let connection else { return }
        if sent == 0, Socket.connectError(of: connection) != nil { return connect() }
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
        closeConnection()
        buffer = []
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?(outcome)
    }

    deinit { if let connection { _ = Descriptor(owning: connection) } }
}
