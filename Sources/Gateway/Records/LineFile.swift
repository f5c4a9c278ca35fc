import Synchronization
import SystemIO
import Threading

/// A file of `CheckedLine`s with fields that lines are only added to, which costs a file system less than a file for
/// each thing: what no longer counts goes when the file is written anew. Any thread.
final class LineFile: Sendable {
    private struct State {
        /// The file lacks a line, and is empty, or should be.
        var isOff = false
        var lines = 0
        /// The last line may have no end: a process was killed in it, or it could not be written.
        var isTorn = false
        /// What comes while the file is written anew.
        var late: [[UInt8]]?
    }

    let name: String
    private let folder: Directory
    private let state = Mutex(State())
    /// One thread writes at a time, so that lines stay in order.
    private let writing = Semaphore(1)

    /// Lines beyond twice those that count, before the file is written anew.
    private static let slack = 10_000

    init(_ name: String, in folder: Directory) {
        self.name = name
        self.folder = folder
    }

    /// None where there is no file. `take` returns false to read no further, and gets nil for a line that is damaged,
    /// as one without its end is. Once, before anything is added: which then begins with a line of its own.
    func read(_ take: ([String]?) -> Bool) throws(SystemError) {
        let bytes = try folder.readFileIfThere(name)
        var lines = 0
        bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
                let line = UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
                lines += 1
                guard line.isEmpty || take(end == nil ? nil : CheckedLine.fields(of: line)), let end else { break }
                start = end + 1
            }
        }
        state.withLock { state in
            state.lines = lines
            state.isTorn = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
        }
    }

    /// All of them or none.
    func add(_ lines: [[String]]) throws(SystemError) {
        let bytes = lines.flatMap { CheckedLine.bytes(of: $0) }
        try writing.passing { () throws(SystemError) in
            let (isOff, isTorn) = state.withLock { ($0.isOff, $0.isTorn) }
            if !isOff {
                state.withLock { $0.isTorn = true }
                try folder.append((isTorn ? [UInt8(ascii: "\n")] : []) + bytes, to: name)
            }
            state.withLock { state in
                state.isTorn = false
                state.lines += lines.count
                state.late?.append(bytes)
            }
        }
    }

    /// Nothing is to be believed of the file any more: what is added is kept only once it has been written anew.
    func turnOff() {
        writing.passing {
            state.withLock { state in
                state.isOff = true
                state.isTorn = false
                state.lines = 0
            }
            if (try? folder.removeFile(name)) == nil { try? folder.writeAtomically(name, []) }
        }
    }

    /// The file is gone, and begins with what is added next.
    func clear() {
        turnOff()
        state.withLock { $0.isOff = false }
    }

    /// Whether the file is worth writing anew, where so many lines count.
    func isLong(for count: Int) -> Bool { state.withLock { $0.isOff || $0.lines > 2 * count + Self.slack } }

    /// Writes the file anew, or leaves it as it is; all of it is on the disk before it takes the old one's place. `lines` is
    /// called after this has begun, and gives all that count by then.
    func rewrite(_ lines: () -> [[String]]) throws(SystemError) {
        writing.passing { state.withLock { $0.late = [] } }
        let all = lines()
        do throws(SystemError) {
            try folder.writeAtomically(newName, all.flatMap { CheckedLine.bytes(of: $0) })
            try sync(newName)
            try writing.passing { () throws(SystemError) in
                let late = state.withLock { state in
                    defer { state.late = nil }
                    return state.late ?? []
                }
                try folder.append(Array(late.joined()), to: newName)
                try folder.rename(newName, to: name, replaces: true)
                state.withLock { state in
                    state.isOff = false
                    state.isTorn = false
                    state.lines = all.count + late.count
                }
            }
        } catch {
            // The old one is there still, if it was.
            state.withLock { $0.late = nil }
            try? folder.removeFile(newName)
            throw error
        }
    }

    private var newName: String { name + ".new" }

    /// What was added is on the disk then.
    func sync() throws(SystemError) { try sync(name) }

    private func sync(_ name: String) throws(SystemError) {
        let file = Descriptor(owning: try folder.openFile(name))
        try File.sync(file.number)
    }
}
