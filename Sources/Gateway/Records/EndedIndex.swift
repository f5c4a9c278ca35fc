import Bytewise
import Synchronization
import SystemIO
import Threading
import WriterModel

/// What the registry and the origins say of writers that have ended, in one file, so that a start reads that and not
/// two files of each writer. The truth is the writers' folders: of a folder that is not in here the record is read,
/// and a line without a folder counts for nothing. A writer is entered once its last record is on disk, and taken
/// out before anything of it is removed. Any thread.
///
/// A line has a checksum and fields, with tabs between: `+` with an entry, `-` with a writer that is gone, `boot` with
/// the machine's boot, and `whole` where a server has ended well, with when the folders of the writers were last changed:
/// if that is no longer so, another version, which knows no index, has worked on them, and none of it counts. After a
/// power loss lines may be missing that were written: those of another boot than this one count only before a `whole`.
package final class EndedIndex: Sendable {
    package struct Entry: Sendable, Equatable {
        package var writer: WriterID
        package var createdAt: Timestamp
        package var end: Registry.End
        /// nil: it is lost.
        package var origin: WriterOrigin?

        package init(writer: WriterID, createdAt: Timestamp, end: Registry.End, origin: WriterOrigin?) {
            self.writer = writer
            self.createdAt = createdAt
            self.end = end
            self.origin = origin
        }
    }

    package static let fileName = "ended"
    /// Lines beyond twice those that count, before the file is written anew.
    private static let slack = 10_000

    private struct State {
        /// False: the file lacks a line, and is empty, or should be.
        var isUsable = true
        var lines = 0
        /// What comes while the file is written anew.
        var late: [[UInt8]]?
    }

    private let folder: Directory
    private let boot: String
    private let watched: [Directory]
    private let state = Mutex(State())
    /// One thread writes at a time, so that lines stay in order.
    private let writing = Semaphore(1)

    /// `watched`: the folders that change with each writer that comes or goes.
    package init(in folder: Directory, boot: String = Machine.boot, watching watched: [Directory] = []) {
        self.folder = folder
        self.boot = boot
        self.watched = watched
    }

    private var changeTimes: String { watched.map { $0.changeTime.map(String.init) ?? "" }.joined(separator: " ") }

    /// The entries by their writers; none where the file is missing, damaged, or may lack lines. Once, before
    /// anything is added.
    package func load() -> [WriterID: Entry] {
        var reading = Reading()
        let bytes = (try? folder.readFile(Self.fileName)) ?? []
        guard bytes.withUnsafeBytes({ reading.take(all: $0) }),
            reading.whole.map(changeTimes.isSame(as:)) ?? (reading.boot.map(boot.isSame(as:)) == true)
        else {
            invalidate()
            state.withLock { $0.isUsable = true }
            add([["boot", boot]])
            return [:]
        }
        state.withLock { $0.lines = reading.lines }
        add([["boot", boot]])
        return reading.entries
    }

    package func note(_ entry: Entry) { add([entry.fields]) }

    /// From here on the writer may be removed.
    package func forget(_ writers: [WriterID]) { add(writers.map { ["-", $0.key] }) }

    /// The server ends well: nothing is added after this. The lines are on the disk then.
    package func conclude() {
        add([["whole", changeTimes]])
        if let file = try? Descriptor(owning: folder.openFile(Self.fileName)) { File.sync(file.number) }
    }

    private func add(_ lines: [[String]]) {
        let bytes = lines.flatMap(Self.line)
        writing.passing {
            let isUsable = state.withLock { state in
                state.late?.append(bytes)
                state.lines += lines.count
                return state.isUsable
            }
            if isUsable, (try? folder.append(bytes, to: Self.fileName)) == nil { invalidate() }
        }
    }

    /// A file without one of its lines would say that a writer is what it was.
    private func invalidate() {
        state.withLock { state in
            state.isUsable = false
            state.lines = 0
        }
        if (try? folder.removeFile(Self.fileName)) == nil { try? folder.writeAtomically(Self.fileName, []) }
    }

    /// Whether the file is worth writing anew, for so many writers.
    package func isLong(for count: Int) -> Bool {
        state.withLock { $0.isUsable ? $0.lines > 2 * count + Self.slack : true }
    }

    /// Writes the file anew. `entries` is called after this has begun, and gives all there are by then.
    package func rewrite(_ entries: () -> [Entry]) {
        writing.passing { state.withLock { $0.late = [] } }
        let all = entries()
        do throws(SystemError) {
            try folder.writeAtomically(Self.newName, Self.line(["boot", boot]) + all.flatMap { Self.line($0.fields) })
            try writing.passing { () throws(SystemError) in
                let late = state.withLock { state in
                    defer { state.late = nil }
                    return state.late ?? []
                }
                try folder.append(Array(late.joined()), to: Self.newName)
                try folder.rename(Self.newName, to: Self.fileName, replaces: true)
                state.withLock { state in
                    state.isUsable = true
                    state.lines = all.count + late.count + 1
                }
            }
        } catch {
            // The old one is there still, if it was.
            state.withLock { $0.late = nil }
        }
    }

    private static let newName = fileName + ".new"

    private static func line(_ fields: [String]) -> [UInt8] {
        let text = Array(fields.map(escaped).joined(separator: "\t").utf8)
        return text.withUnsafeBytes(Checksum.text) + [UInt8(ascii: "\t")] + text + [UInt8(ascii: "\n")]
    }

    private static func escaped(_ field: String) -> String {
        if !field.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) { return field }
        return String(
            decoding: field.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "\\"): Array("\\\\".utf8)
                case UInt8(ascii: "\n"): Array("\\n".utf8)
                case UInt8(ascii: "\t"): Array("\\t".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
    }
}

extension EndedIndex {
    private struct Reading {
        var entries: [WriterID: Entry] = [:]
        var lines = 0
        var boot: String?
        /// Of the last line, where it is one.
        var whole: String?

        /// False: a line is damaged.
        mutating func take(all bytes: UnsafeRawBufferPointer) -> Bool {
            var start = 0
            while start < bytes.count {
                guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")),
                    take(line: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                else { return false }
                start = end + 1
            }
            return true
        }

        private mutating func take(line: UnsafeRawBufferPointer) -> Bool {
            guard let fields = Self.fields(line) else { return false }
            lines += 1
            whole = fields.count == 2 && fields[0].isSame(as: "whole") ? fields[1] : nil
            if whole != nil { return true }
            if let entry = Entry(fields: fields) {
                entries[entry.writer] = entry
            } else if fields.count == 2, fields[0].isSame(as: "boot") {
                boot = fields[1]
            } else if fields.count == 2, fields[0].isSame(as: "-"), let writer = WriterID(key: fields[1]) {
                entries[writer] = nil
            } else {
                return false
            }
            return true
        }

        private static func fields(_ line: UnsafeRawBufferPointer) -> [String]? {
            guard line.count > 9, line[8] == UInt8(ascii: "\t") else { return nil }
            let text = UnsafeRawBufferPointer(rebasing: line[9...])
            guard Checksum.text(of: text).elementsEqual(line[..<8]) else { return nil }
            return text.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map { unescaped($0) }
        }

        private static func unescaped(_ field: Slice<UnsafeRawBufferPointer>) -> String {
            if !field.contains(UInt8(ascii: "\\")) { return String(decoding: field, as: UTF8.self) }
            var bytes: [UInt8] = []
            var isEscaped = false
            for byte in field {
                if isEscaped {
                    bytes.append(byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte == UInt8(ascii: "t") ? UInt8(ascii: "\t") : byte)
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension EndedIndex.Entry {
    /// Empty where there is none; `key` stands behind a "=".
    fileprivate var fields: [String] {
        let claim: (kind: String, path: String) =
            switch origin?.claim {
            case .nothing: ("nothing", "")
            case .managed(let name): ("managed", name)
            case .file(let path): ("file", path)
            case .folder(let path): ("folder", path)
            case .several: ("several", origin.map { String(decoding: $0.claim.json.encoded, as: UTF8.self) } ?? "")
            case nil: ("", "")
            }
        return [
            "+", writer.key, String(createdAt.milliseconds), String(end.at.milliseconds), end.state.rawValue, String(end.bytes),
            claim.kind, claim.path, origin?.idempotencyKey.map { "=\($0)" } ?? "", origin?.folder ?? "",
        ]
    }

    fileprivate init?(fields: [String]) {
        guard fields.count == 10, fields[0].isSame(as: "+"), let writer = WriterID(key: fields[1]),
            let createdAt = Int64(fields[2]), let endedAt = Int64(fields[3]), let state = WriterState(rawValue: fields[4]),
            state.isEnded, let bytes = Int64(fields[5])
        else { return nil }
        self.init(
            writer: writer, createdAt: Timestamp(milliseconds: createdAt),
            end: Registry.End(state: state, at: Timestamp(milliseconds: endedAt), bytes: bytes), origin: nil)
        if fields[6].isEmpty { return }
        guard let claim = OutputClaim(kind: fields[6], path: fields[7]) else { return nil }
        origin = WriterOrigin(
            createdAt: self.createdAt, idempotencyKey: fields[8].without(prefix: "="), claim: claim,
            folder: fields[9].isEmpty ? nil : fields[9])
    }
}

extension OutputClaim {
    fileprivate init?(kind: String, path: String) {
        switch kind {
        case "nothing": self = .nothing
        case "managed": self = .managed(path)
        case "file": self = .file(path)
        case "folder": self = .folder(path)
        case "several":
            guard let json = try? JSONParser.parse(Array(path.utf8)), let claim = OutputClaim(json: json) else { return nil }
            self = claim
        default: return nil
        }
        if !isValid { return nil }
    }
}

/// CRC-32 (ISO 3309), as gzip's.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let table = table
        return ~bytes.reduce(UInt32.max) { sum, byte in sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)] }
    }

    /// Eight hexadecimal digits.
    static func text(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        let sum = of(bytes)
        return (0..<8).map { digits[Int(sum >> UInt32(28 - 4 * $0) & 15)] }
    }
}
