import APICore
import SystemIO
import Threading

/// The folder of a muxer that runs in a carrier, as the encoder has it: it makes the folder, and finds in the carrier's
/// ledger what was made there, which it can remove and not read or write.
final class CarriedFolder: Sendable {
    let folder: MuxerFolder
    private let ledger: FileLedger
    /// The ledger's, which the carrier has the lock of as long as it lives.
    private let ledgerFolder: Directory

    /// How long a carrier is waited for whose line has ended: longer than it goes on then.
    private static let patience = Duration.seconds(1)

    init(_ folder: MuxerFolder, ledger: FileLedger, in ledgerFolder: Directory) {
        self.folder = folder
        self.ledger = ledger
        self.ledgerFolder = ledgerFolder
    }

    /// The files there are of the writer's, by their paths from the output directory.
    var files: [(path: String, bytes: Int64)] {
        ledger.reload()
        return folder.files
    }

    /// A file of the writer's that another writer or program has replaced.
    var replacedFile: String? {
        ledger.reload()
        return folder.replacedFile
    }

    /// After the carrier's line was ended: no carrier makes anything there from here on. Gives the files that are not the
    /// writer's any more, and stay.
    func removeFiles() -> [String] {
        awaitCarrier()
        ledger.reload()
        return folder.removeFiles()
    }

    /// Its lock is kept: a carrier that comes late finds it taken, and ends.
    private func awaitCarrier() {
        let deadline = Deadline.after(Self.patience)
        while !ledgerFolder.lock(), !deadline.hasPassed { SystemThread.sleep(.milliseconds(2)) }
    }
}
