import Bytewise
import CLinux
import Glibc

// Files of the folder, read and written whole.
extension Directory {
    /// Reads the file, or its first `most` bytes.
    public func readFile(_ relative: String, most: Int = .max) throws(SystemError) -> [UInt8] {
        let file = Descriptor(owning: try openFile(relative))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count < most {
            let count = try retryingOnInterrupt("read \(relative)") { read(file.number, &buffer, buffer.count) }
            if count == 0 { break }
            bytes += buffer[..<min(count, most - bytes.count)]
        }
        return bytes
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

    /// Puts `bytes` behind what the file `name` holds, all of them or none, and then spaces in the place of that. Wherever
    /// this process ends, one of the two is there whole; the file system makes no new file for it and lets none go.
    public func supersede(_ name: String, with bytes: [UInt8]) throws(SystemError) {
        let file = Descriptor(owning: try openBeneath(try Self.checked(name), O_WRONLY | O_CREAT, mode: 0o600, "open \(name)"))
        let end = Int(clamping: File.size(file.number) ?? 0)
        lseek(file.number, off_t(end), SEEK_SET)
        do throws(SystemError) {
            try Self.write(bytes, to: file, name)
        } catch {
            ftruncate(file.number, off_t(end))
            throw error
        }
        lseek(file.number, 0, SEEK_SET)
        try? Self.write([UInt8](repeating: UInt8(ascii: " "), count: end), to: file, name)
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
