import Bytewise
import SystemIO
import WriterModel

/// What the registry and the origins say of writers that have ended, in one file, so that a start reads that and not
/// the record of each writer. The truth is the writers' folders: of a folder that is not in here the record is read,
/// and a line without a folder counts for nothing. A writer is entered once its last record is on disk, and taken
/// out before anything of it is removed. Any thread.
///
/// A line (`LineFile`) is `+` with an entry, `-` with a writer that is gone, `boot` with
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

    private let file: LineFile
    private let boot: String
    private let watched: [Directory]

    /// `watched`: the folders that change with each writer that comes or goes.
    package init(in folder: Directory, boot: String = Machine.boot, watching watched: [Directory] = []) {
        file = LineFile(Self.fileName, in: folder)
        self.boot = boot
        self.watched = watched
    }

    private var changeTimes: String { watched.map { $0.changeTime.map(String.init) ?? "" }.joined(separator: " ") }

    /// The entries by their writers; none where the file is missing, damaged, or may lack lines. Once, before
    /// anything is added.
    package func load() -> [WriterID: Entry] {
        var reading = Reading()
        var isWhole = true
        let isRead = (try? file.read { fields in
            isWhole = fields.map { reading.take($0) } ?? false
            return isWhole
        }) != nil
        guard isRead, isWhole, reading.whole.map(changeTimes.isSame(as:)) ?? (reading.boot.map(boot.isSame(as:)) == true) else {
            file.clear()
            add([["boot", boot]])
            return [:]
        }
        add([["boot", boot]])
        return reading.entries
    }

    package func note(_ entry: Entry) { add([entry.fields]) }

    /// From here on the writer may be removed.
    package func forget(_ writers: [WriterID]) { add(writers.map { ["-", $0.key] }) }

    /// The server ends well: nothing is added after this. The lines are on the disk then.
    package func conclude() {
        add([["whole", changeTimes]])
        try? file.sync()
    }

    /// A file without one of its lines would say that a writer is what it was.
    private func add(_ lines: [[String]]) { if (try? file.add(lines)) == nil { file.turnOff() } }

    /// Whether the file is worth writing anew, for so many writers.
    package func isLong(for count: Int) -> Bool { file.isLong(for: count) }

    /// Writes the file anew. `entries` is called after this has begun, and gives all there are by then.
    package func rewrite(_ entries: () -> [Entry]) { try? file.rewrite { [["boot", boot]] + entries().map(\.fields) } }
}

extension EndedIndex {
    private struct Reading {
        var entries: [WriterID: Entry] = [:]
        var boot: String?
        /// Of the last line, where it is one.
        var whole: String?

        /// False: it is no line of an index.
        mutating func take(_ fields: [String]) -> Bool {
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
    }
}

extension EndedIndex.Entry {
    fileprivate var fields: [String] {
        [
            "+", writer.key, String(createdAt.milliseconds), String(end.at.milliseconds), end.state.rawValue, String(end.bytes),
        ] + WriterOrigin.fields(origin)
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
        origin = WriterOrigin(createdAt: self.createdAt, fields: fields[6...])
        if origin == nil { return nil }
    }
}
