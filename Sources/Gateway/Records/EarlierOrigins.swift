import SystemIO
import WriterModel

/// The origins as earlier versions kept them, a file each in a folder of the state directory: taken over once.
struct EarlierOrigins {
    static let folderName = "origins"

    private(set) var origins: [WriterID: WriterOrigin] = [:]
    private let stateFolder: Directory
    /// Of what was read, and of what was being written when a server was killed.
    private var names: [String] = []

    init(in stateFolder: Directory) throws(SystemError) {
        self.stateFolder = stateFolder
        guard stateFolder.kind(of: Self.folderName) == .folder else { return }
        let folder = try stateFolder.subdirectory(Self.folderName)
        for name in try folder.entries() {
            if let writer = WriterID(key: name), let origin = Self.read(name, in: folder) {
                origins[writer] = origin
                names.append(name)
            } else if let target = Directory.target(ofUnfinished: name), WriterID(key: target) != nil {
                names.append(name)
            }
        }
    }

    /// nil: what is there is none.
    private static func read(_ name: String, in folder: Directory) -> WriterOrigin? {
        let bytes = (try? folder.readFile(name, most: 256 * 1_024)) ?? []
        return (try? JSONParser.parse(bytes)).flatMap(WriterOrigin.init(json:))
    }

    var isEmpty: Bool { names.isEmpty }

    /// What was taken over goes; what is no origin stays where it is.
    func remove() {
        guard let folder = try? stateFolder.subdirectory(Self.folderName) else { return }
        for name in names { try? folder.removeFile(name) }
        if (try? folder.entries())?.isEmpty == true { try? stateFolder.removeSubdirectory(Self.folderName) }
    }
}
