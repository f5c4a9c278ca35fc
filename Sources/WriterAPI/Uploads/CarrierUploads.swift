import Bytewise
import Stores
import StreamWriter
import Synchronization
import Uploads
import WriterModel

/// What a carrier uploads with, so that it is ended once its encoder is gone. Any thread.
final class CarrierUploads: Sendable {
    private let authorities: [UInt8]?
    private let sinks = Mutex<UploadSinks?>(nil)

    /// What a store has of an object that does not come about is taken back within this.
    private static let longestEnd = Duration.seconds(12)

    /// `authorities`: PEM, of those that are trusted besides the system's.
    init(authorities: [UInt8]?) { self.authorities = authorities }

    /// What writes the target.
    func begin(
        _ target: UploadTarget, _ fields: UploadFields, muxer: String, _ spool: KeptSpool?, _ settings: EncoderStart, _ clientPolicy: ClientPolicy
    ) throws(StreamWriterError) -> UploadSinks {
        let setting = UploadSinks.Setting(
            gate: UploadGate(policy: settings.policy, clientPolicy: clientPolicy), muxer: muxer, fields: fields,
            retry: RetryRule(retryTime: .seconds(settings.limits.uploadRetryTime)), memory: Self.memory(settings.limits),
            mostBytes: settings.limits.maxOutputBytes == 0 ? nil : settings.limits.maxOutputBytes, spool: spool, authorities: authorities)
        let sinks = UploadSinks(target, try Self.store(of: target, settings), setting)
        self.sinks.withLock { $0 = sinks }
        return sinks
    }

    /// An eighth of what the process may have.
    private static func memory(_ limits: ServiceLimits) -> Int {
        limits.maxEncoderMemory == 0 ? mostMemory : min(mostMemory, limits.maxEncoderMemory / 8)
    }

    private static let mostMemory = 128 << 20

    private static func store(of target: UploadTarget, _ settings: EncoderStart) throws(StreamWriterError) -> Store? {
        guard case .object(let place) = target else { return nil }
        guard let given = settings.stores.first(where: { $0.name.isSame(as: place.store) }) else {
            throw StreamWriterError(.destinationRefused, "the server has no store \(place.store) any more", parameter: "dst")
        }
        do throws(StoreFlaw) {
            return try Store(name: given.name, fields: given.fields)
        } catch {
            throw StreamWriterError(.destinationFailed, "the store \(place.store) can't be used: \(error.field.rawValue): \(error.reason)", parameter: "dst")
        }
    }

    /// Ends what is under way and waits for what is taken back.
    func end() { sinks.withLock { $0 }?.abort(within: Self.longestEnd) }
}
