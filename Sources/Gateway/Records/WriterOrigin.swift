import Bytewise
import WriterModel

/// What the gateway itself knows of a writer: of when it is, by which key it was asked for, and what its
/// encoder was to write to. It lies where no encoder can write, and what records say is held against it.
package struct WriterOrigin: Sendable, Equatable {
    package var createdAt: Timestamp
    package var idempotencyKey: String?
    package var claim: OutputClaim
    /// Of the output directory, in which the paths begin that its clients know.
    package var folder: String?

    package init(createdAt: Timestamp, idempotencyKey: String? = nil, claim: OutputClaim, folder: String? = nil) {
        self.createdAt = createdAt
        self.idempotencyKey = idempotencyKey
        self.claim = claim
        self.folder = folder
    }

    /// As its clients know a file.
    func clientPath(_ path: RelativePath) -> RelativePath {
        folder.flatMap { try? RelativePath($0) }.flatMap(path.relative(to:)) ?? path
    }

    /// As earlier versions kept it.
    init?(json: JSONValue) {
        guard let object = json.objectValue, object["version"] == .integer(1),
            let createdAt = object["created_at"]?.stringValue.flatMap(Timestamp.init),
            let claim = object["claim"].flatMap(OutputClaim.init(json:))
        else { return nil }
        self.init(
            createdAt: createdAt, idempotencyKey: object["idempotency_key"]?.stringValue, claim: claim,
            folder: object["folder"]?.stringValue)
    }
}

extension WriterOrigin {
    /// Of a writer that an earlier version made: what its record says.
    init?(adopting record: WriterRecord) {
        guard let createdAt = Timestamp(record.createdAt) else { return nil }
        let claim: OutputClaim
        if let file = record.managedFile {
            claim = .managed(file)
        } else if record.resource["result"]?.objectValue?["files"] == nil, record.outputFiles.count == 1 {
            claim = .file(record.outputFiles[0])
        } else if let first = record.outputFiles.first {
            claim = .folder(Self.folder(of: first, holding: record.outputFiles))
        } else {
            claim = .nothing
        }
        guard claim.isValid else { return nil }
        self.init(createdAt: createdAt, idempotencyKey: record.idempotencyKey, claim: claim)
    }

    /// The innermost folder of one file that the others lie in too.
    private static func folder(of file: String, holding files: [String]) -> String {
        var names = file.utf8.split(separator: UInt8(ascii: "/")).dropLast().map { String(decoding: $0, as: UTF8.self) }
        while !names.isEmpty {
            let claim = OutputClaim.folder(names.joined(separator: "/"))
            if files.allSatisfy(claim.holds) { break }
            names.removeLast()
        }
        return names.joined(separator: "/")
    }
}

// In a line of a file, beside the writer and its time.
extension WriterOrigin {
    /// Four, all empty where there is none. `key` stands behind a "=".
    static func fields(_ origin: WriterOrigin?) -> [String] {
        let claim: (kind: String, path: String) =
            switch origin?.claim {
            case .nothing: ("nothing", "")
            case .managed(let name): ("managed", name)
            case .file(let path): ("file", path)
            case .folder(let path): ("folder", path)
            case .several: ("several", origin.map { String(decoding: $0.claim.json.encoded, as: UTF8.self) } ?? "")
            case nil: ("", "")
            }
        return [claim.kind, claim.path, origin?.idempotencyKey.map { "=\($0)" } ?? "", origin?.folder ?? ""]
    }

    init?(createdAt: Timestamp, fields: ArraySlice<String>) {
        let fields = Array(fields)
        guard fields.count == 4, let claim = OutputClaim(kind: fields[0], path: fields[1]) else { return nil }
        self.init(
            createdAt: createdAt, idempotencyKey: fields[2].without(prefix: "="), claim: claim,
            folder: fields[3].isEmpty ? nil : fields[3])
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
