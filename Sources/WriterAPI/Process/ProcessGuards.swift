import Logging
import SystemIO
import WriterModel

/// What holds in a forked process before it takes a byte of a client's: its heaps, and the functions that stand before
/// the C library's.
enum ProcessGuards {
    /// The text of a level, where the process was told one.
    static func log(_ log: Logger, of settings: EncoderStart) -> Logger {
        var log = log
        if let level = settings.logLevel.flatMap({ Logger.Level(rawValue: $0) }) { log.logLevel = level }
        log[metadataKey: "writer"] = "\(settings.writer.key)"
        return log
    }

    /// False, which is logged: the process must not go on. True: no name is looked up any more but for a destination.
    /// `role` is for the log: "an encoder".
    static func areInPlace(_ settings: EncoderStart, _ clientPolicy: ClientPolicy, of role: String, _ log: Logger) -> Bool {
        guard Heaps.areApart else {
            log.critical("\(role) can't keep from libav what clients send: its own heap is not in place")
            return false
        }
        guard clientPolicy == .enforced else { return true }
        guard Interposition.isInPlace else {
            log.critical("\(role) can't guard what libav opens: its own functions are not in place")
            return false
        }
        // The sandbox would not let it ask later.
        let addresses = settings.policy.patterns.isEmpty && settings.stores.isEmpty ? [] : NameLookup.ownAddresses
        AddressGate.shared.close(serverPorts: settings.serverPorts, ownAddresses: addresses)
        return true
    }
}
