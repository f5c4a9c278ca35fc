import Bytewise
import Glibc
import Stores
import Threading

/// Keys in a file of AWS's form, read again when it has changed: keys that expire are replaced there by the program that gets them.
package final class CredentialsFile: Sendable, Equatable {
    static let mostBytes = 64 * 1_024

    package let path: String
    package let profile: String
    private let state = Monitor(State())

    private struct State {
        var stamp: Stamp?
        var credentials: Credentials?
    }

    /// What changes with a file: written anew, or put in the place of another.
    private struct Stamp: Equatable {
        let device, inode, size, seconds, nanoseconds: Int

        init(_ status: stat) {
            (device, inode, size) = (Int(bitPattern: UInt(status.st_dev)), Int(bitPattern: UInt(status.st_ino)), Int(status.st_size))
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    package init(_ path: String, profile: String = "default") { (self.path, self.profile) = (path, profile) }

    package static func == (one: CredentialsFile, other: CredentialsFile) -> Bool {
        one.path.isSame(as: other.path) && one.profile.isSame(as: other.profile)
    }

    /// Those in it now. Where it has become unreadable, those that it had: it may be in the middle of being written.
    package func credentials() throws(UploadError) -> Credentials {
        let (known, stamp) = state.withLock { ($0.credentials, $0.stamp) }
        do {
            let (bytes, newer) = try read(unless: stamp)
            guard let bytes else { return known! }
            let credentials = try Self.credentials(in: bytes, of: profile, path)
            state.withLock { ($0.credentials, $0.stamp) = (credentials, newer) }
            return credentials
        } catch {
            if let known { return known }
            throw error
        }
    }

    /// No bytes: it is as it was.
    private func read(unless known: Stamp?) throws(UploadError) -> (bytes: [UInt8]?, stamp: Stamp) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("it is no file") }
        let stamp = Stamp(status)
        if stamp == known { return (nil, stamp) }
        if stamp.size > Self.mostBytes { throw failure("it has more than \(Self.mostBytes) bytes") }
        var bytes = [UInt8](repeating: 0, count: stamp.size)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 { throw failure(String(cString: strerror(errno))) }
        return (Array(bytes.prefix(count)), stamp)
    }

    private func failure(_ reason: String) -> UploadError { Self.flaw(path, reason) }
    private static func flaw(_ path: String, _ reason: String) -> UploadError { UploadError(.invalid, "credentials file \(path)", reason) }

    /// Of one section: `[default]`, or `[name]`; a comment has `#` or `;` at its line's beginning.
    static func credentials(in bytes: [UInt8], of profile: String, _ path: String) throws(UploadError) -> Credentials {
        var section: String?
        var hasSection = false
        var values: [ByteKey: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).parts(at: "\n").map(\.trimmedASCII) {
            if line.isEmpty || line.begins(with: "#") || line.begins(with: ";") { continue }
            if line.begins(with: "["), let name = line.without(prefix: "[")?.until("]") {
                section = name.trimmedASCII
                hasSection = hasSection || name.trimmedASCII.isSame(as: profile)
            } else if let section, section.isSame(as: profile), let (name, value) = line.cut(at: "=") {
                values[ByteKey(name.trimmedASCII.lowercasedASCII)] = value.trimmedASCII
            }
        }
        if !hasSection { throw flaw(path, "it has no section [\(profile)]") }
        guard let access = values["aws_access_key_id"], !access.isEmpty else { throw flaw(path, "[\(profile)] has no aws_access_key_id") }
        guard let secret = values["aws_secret_access_key"], !secret.isEmpty else { throw flaw(path, "[\(profile)] has no aws_secret_access_key") }
        guard Store.isAccessKey(access) else { throw flaw(path, "aws_access_key_id has characters in it that no key has") }
        let token = values["aws_session_token"].flatMap { $0.isEmpty ? nil : Secret($0) }
        return Credentials(accessKey: access, secretKey: Secret(secret), sessionToken: token)
    }
}
