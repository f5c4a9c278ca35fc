import APICore
import Bytewise
import SystemIO
import WriterModel

/// Whether a file under the output directory is the one that an ended writer made: asked before it is served
/// or removed, of the file that is there, whatever its name says.
package struct OutputOwnership {
    private enum Evidence {
        /// The writer's ledger says which file each is.
        case ledger([RelativePath: [FileIdentity]])
        /// A writer of a version that kept no ledger: its files were made while it lived.
        case lifetime(began: Timestamp, ended: Timestamp)
        /// Nothing can be told of its files.
        case none
    }

    /// The kernel takes the time of a file from a clock that may be some milliseconds behind.
    private static let clockSlack: Int64 = 1_000_000_000

    private let evidence: Evidence

    /// `folder` is the writer's own.
    package init(_ record: WriterRecord, in folder: Directory) throws(SystemError) {
        let files: [RelativePath: [FileIdentity]]?
        do throws(SystemError) {
            files = try OutputLedgers.read(in: folder)
        } catch {
            if error.isOutOfDescriptors { throw error }
            // Something else lies in its place.
            files = [:]
        }
        if let files {
            evidence = .ledger(files)
        } else if let began = Timestamp(record.createdAt), let end = record.endedAt.flatMap(Timestamp.init), began <= end {
            evidence = .lifetime(began: began, ended: end)
        } else {
            evidence = .none
        }
    }

    package func owns(_ path: RelativePath, _ file: FileIdentity) -> Bool {
        switch evidence {
        case .ledger(let files): files[path]?.contains(file) ?? false
        case .lifetime(let began, let ended):
            if case .born(_, let time) = file {
                Self.moment(time + Self.clockSlack) >= began && Self.moment(time) <= ended
            } else {
                false
            }
        case .none: false
        }
    }

    private static func moment(_ nanoseconds: Int64) -> Timestamp {
        Timestamp(secondsSinceEpoch: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
