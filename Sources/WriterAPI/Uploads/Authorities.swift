import Logging
import SystemIO

/// The certificates of authorities that uploads and webhooks trust besides the system's (`--ca-file`).
enum Authorities {
    /// Before the process is confined, so that it needs no more of the file. nil: there is none, or it can't be read, which
    /// is logged.
    static func read(_ path: String?, _ log: Logger) -> [UInt8]? {
        guard let path else { return nil }
        do throws(SystemError) {
            return try File.read(path)
        } catch {
            log.error("the file of authorities can't be read: no more than the system's are trusted", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
