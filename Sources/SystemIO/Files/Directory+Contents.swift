import Bytewise
import CLinux
import Glibc

// Files of the folder, read and written whole.
extension Directory {
    /// Reads the file, or its first `most` bytes.
    public func readFile(_ relative: String, most: Int = .max) throws(SystemError) -> [UInt8] {
        try Self.read(Descriptor(owning: try openFile(relative)), relative, most: most)
    }

    private static func read(_ file: borrowing Descriptor, _ name: String, most: Int = .max) throws(SystemError) -> [UInt8] {
        let number = file.number
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count < most {
            let count = try retryingOnInterrupt("read \(name)") { Glibc.read(number, &buffer, buffer.count) }
            if count == 0 { break }
            bytes += buffer[..<min(count, most - bytes.count)]
        }
        return bytes
    }

    /// Reads a file that may be added to; nothing where there is none. Throws where something else is there, as a pipe, at
    /// which whoever added to it would wait for a reader.
    public func readFileIfThere(_ relative: String) throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            let file = Descriptor(owning: try openFile(relative))
            guard Self.kind(ofOpen: file.number) == .file else { throw SystemError("read \(path)/\(relative), which is no file", number: EINVAL) }
            return try Self.read(file, relative)
        } catch {
            if error.isMissing { return [] }
            throw error
        }
    }

    /// Replaces the file `name` whole or not at all, for all that read it and whenever this process ends. It
    /// is not synced: after a power loss the file system decides which of the two is there.
    public func writeAtomically(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        let temporary = Self.unfinished(name)
        do throws(SystemError) {
            try write(bytes, toNew: temporary)
            try retryingOnInterrupt("write \(name)") { renameat(descriptor, temporary, descriptor, name) }
        } catch {
            unlinkat(descriptor, temporary, 0)
            throw error
        }
    }

    private static func unfinished(_ name: String) -> String { ".\(name).new" }

    /// Of a file that `writeAtomically` was making when its process ended, the name it was to have; nil of others.
    public static func target(ofUnfinished name: String) -> String? { name.without(prefix: ".")?.without(suffix: ".new") }

    private func write(_ bytes: [UInt8], toNew name: String) throws(SystemError) {
        try Self.write(bytes, to: Descriptor(owning: try createFile(name, .replacing)), name)
    }

    /// Adds `bytes` at the end of the file `name`, all of them or none. A new one is the process's user's alone.
    public func append(_ bytes: [UInt8], to name: String) throws(SystemError) {
        let flags = O_WRONLY | O_APPEND | O_CREAT
        let file = Descriptor(owning: try openBeneath(try Self.checked(name), flags, mode: 0o600, "open \(name)"))
        let size = File.size(file.number) ?? 0
        do throws(SystemError) {
            try Self.write(bytes, to: file, name)
        } catch {
            ftruncate(file.number, off_t(size))
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to file: borrowing Descriptor, _ name: String) throws(SystemError) {
        let number = file.number
        var written = 0
        while written < bytes.count {
            let rest = bytes[written...]
            written += try retryingOnInterrupt("write \(name)") {
                rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            }
        }
    }
}
