import Bytewise

/// What a writer's encoder may write to and leave behind, said before anything of libav's runs for the client, and again
/// only where a file in the writer's own folder comes to it. What it says later of files is held against it, and so is
/// what is removed and served in its name. Paths are compared byte by byte.
public enum OutputClaim: Sendable, Equatable {
    /// No file of ours: a URL, a device, a pipe that was there.
    case nothing
    /// A file in the writer's own folder.
    case managed(String)
    /// One file, relative to the output directory.
    case file(String)
    /// What a muxer makes in a folder of the output directory and beneath; "" is that directory itself.
    case folder(String)
    /// Of a writer with several outputs: what each claims, in their order.
    case several([OutputClaim])

    /// Of outputs in their order.
    public init(of outputs: [OutputClaim]) { self = outputs.count == 1 ? outputs[0] : .several(outputs) }

    /// What each output claims, in their order.
    public var outputs: [OutputClaim] { if case .several(let outputs) = self { outputs } else { [self] } }

    /// The files under the output directory that it claims by their names.
    public var files: [String] { outputs.compactMap { if case .file(let path) = $0 { path } else { nil } } }

    /// It claims a file or a folder there.
    public var isUnderOutputDirectory: Bool {
        outputs.contains { output in
            switch output {
            case .file, .folder: true
            case .nothing, .managed, .several: false
            }
        }
    }

    /// Those in the writer's own folder.
    public var managedFiles: [String] { outputs.compactMap(\.managedFile) }

    /// Of one output.
    var managedFile: String? { if case .managed(let name) = self { name } else { nil } }

    /// The same and one more file in the writer's own folder: of an output that came when the writer was open.
    public func adding(managed name: String) -> OutputClaim { .several(outputs + [.managed(name)]) }

    /// Whether it is `earlier` and beyond that only other files in the writer's own folder.
    public func extends(_ earlier: OutputClaim) -> Bool {
        let (own, old) = (outputs, earlier.outputs)
        let isSame = own.count > old.count && zip(own, old).allSatisfy { $0.json.encoded == $1.json.encoded }
        let names = Set(managedFiles.map { Array($0.utf8) })
        return isSame && isValid && own[old.count...].allSatisfy { $0.managedFile != nil } && names.count == managedFiles.count
    }

    /// Whether it names what a writer can have at all.
    public var isValid: Bool {
        switch self {
        case .several(let outputs): (2...ServiceLimits.mostOutputs).contains(outputs.count) && outputs.allSatisfy { $0.isOne && $0.isValid }
        case .nothing: true
        case .managed(let name):
            Self.isPath(name) && !name.utf8.contains(UInt8(ascii: "/")) && name.utf8.starts(with: "output.".utf8)
        case .file(let path): Self.isPath(path)
        case .folder(let path): path.isEmpty || Self.isPath(path)
        }
    }

    private var isOne: Bool { if case .several = self { false } else { true } }

    /// Whether a file under the output directory is one of the writer's.
    public func holds(_ path: String) -> Bool {
        switch self {
        case .several(let outputs): outputs.contains { $0.holds(path) }
        case .nothing, .managed: false
        case .file(let own): path.utf8.elementsEqual(own.utf8)
        case .folder(let folder):
            Self.isPath(path) && (folder.isEmpty || path.utf8.starts(with: "\(folder)/".utf8))
        }
    }

    /// Whether the writer may have made a folder under the output directory: one that leads to what it claims, or
    /// lies in that.
    public func mayNeed(folder path: String) -> Bool {
        guard Self.isPath(path) else { return false }
        return switch self {
        case .several(let outputs): outputs.contains { $0.mayNeed(folder: path) }
        case .nothing, .managed: false
        case .file(let own): own.utf8.starts(with: "\(path)/".utf8)
        case .folder(let own): own.isEmpty || "\(own)/".utf8.starts(with: "\(path)/".utf8) || path.utf8.starts(with: "\(own)/".utf8)
        }
    }

    /// The same of a writer whose paths begin in a folder of the output directory.
    public func inside(_ folder: String?) -> OutputClaim {
        guard let folder else { return self }
        return switch self {
        case .several(let outputs): .several(outputs.map { $0.inside(folder) })
        case .nothing, .managed: self
        case .file(let path): .file("\(folder)/\(path)")
        case .folder(let path): .folder(path.isEmpty ? folder : "\(folder)/\(path)")
        }
    }

    /// Whether all that it names lies in that folder of the output directory.
    public func lies(in folder: String) -> Bool {
        switch self {
        case .several(let outputs): outputs.allSatisfy { $0.lies(in: folder) }
        case .nothing, .managed: true
        case .file(let path): path.utf8.starts(with: "\(folder)/".utf8)
        case .folder(let path): "\(path)/".utf8.starts(with: "\(folder)/".utf8)
        }
    }

    /// A relative path that leads nowhere but down.
    static func isPath(_ path: String) -> Bool {
        let bytes = path.utf8
        guard (1...4_096).contains(bytes.count), !bytes.contains(0) else { return false }
        return bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { name in
            (1...255).contains(name.count) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        }
    }

    public var json: JSONValue {
        switch self {
        case .nothing: ["kind": "nothing"]
        case .managed(let name): ["kind": "managed", "path": .string(name)]
        case .file(let path): ["kind": "file", "path": .string(path)]
        case .folder(let path): ["kind": "folder", "path": .string(path)]
        case .several(let outputs): ["kind": "several", "outputs": .array(outputs.map(\.json))]
        }
    }

    /// nil unless it is one that a writer can have.
    public init?(json: JSONValue) {
        guard let object = json.objectValue, let kind = object["kind"]?.stringValue else { return nil }
        if let outputs = object["outputs"]?.arrayValue {
            let claims = outputs.prefix(ServiceLimits.mostOutputs + 1).compactMap(OutputClaim.init(ofOne:))
            guard kind.isSame(as: "several"), claims.count == outputs.count else { return nil }
            self = .several(claims)
            if !isValid { return nil }
            return
        }
        self.init(ofOne: json)
    }

    private init?(ofOne json: JSONValue) {
        guard let object = json.objectValue, let kind = object["kind"]?.stringValue else { return nil }
        switch (kind, object["path"]?.stringValue) {
        case ("nothing", nil): self = .nothing
        case ("managed", let path?): self = .managed(path)
        case ("file", let path?): self = .file(path)
        case ("folder", let path?): self = .folder(path)
        default: return nil
        }
        if !isValid { return nil }
    }
}
