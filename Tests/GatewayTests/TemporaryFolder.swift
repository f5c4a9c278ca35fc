import Glibc
import SystemIO

/// A folder of the test's own, gone with it.
final class TemporaryFolder: Sendable {
    let path: String

    /// `inMemory`, where there is room for that: for tests that make more files than a disk is quick at.
    init(inMemory: Bool = false) {
        let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/penstock-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { system("rm -rf '\(path)'") }

    func write(_ name: String, _ text: String) {
        let file = fopen("\(path)/\(name)", "w")!
        fputs(text, file)
        fclose(file)
    }

    func link(_ name: String, to target: String) { symlink(target, "\(path)/\(name)") }

    func bytes(_ name: String) -> [UInt8]? { try? Directory(path: path).readFile(name) }

    func text(_ name: String) -> String? {
        guard let file = fopen("\(path)/\(name)", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
