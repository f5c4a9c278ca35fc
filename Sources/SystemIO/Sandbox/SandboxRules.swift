/// What a confined process may still reach. All else is refused: what no place names, every execution
/// of a program, and the making of links, devices, pipes and sockets in the file system.
public struct SandboxRules: Sendable {
    /// To a file, or to everything beneath a folder.
    public struct FileAccess: OptionSet, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let readFiles = FileAccess(rawValue: 1 << 0)
        public static let listFolders = FileAccess(rawValue: 1 << 1)
        /// And cut them.
        public static let writeFiles = FileAccess(rawValue: 1 << 2)
        public static let makeFiles = FileAccess(rawValue: 1 << 3)
        public static let removeFiles = FileAccess(rawValue: 1 << 4)
        public static let makeFolders = FileAccess(rawValue: 1 << 5)
        public static let removeFolders = FileAccess(rawValue: 1 << 6)
        public static let moveBetweenFolders = FileAccess(rawValue: 1 << 7)
        /// ioctl(2) on devices.
        public static let controlDevices = FileAccess(rawValue: 1 << 8)

        public static let read: FileAccess = [.readFiles, .listFolders]
        public static let change: FileAccess = [
            .read, .writeFiles, .makeFiles, .removeFiles, .makeFolders, .removeFolders, .moveBetweenFolders,
        ]
        public static let useDevices: FileAccess = [.read, .writeFiles, .controlDevices]
    }

    public struct Place: Sendable, CustomStringConvertible {
        enum Target: Sendable {
            /// What is not there gives nothing. One that lasts is found once: see `LastingPlaces`.
            case path(String, isLasting: Bool)
            /// Beneath an open folder; "." is the folder. It must be there.
            case beneath(Directory, String)
        }

        let target: Target
        public let access: FileAccess

        public var description: String {
            switch target {
            case .path(let path, _): path
            case .beneath(let folder, let relative): folder.path + "/" + relative
            }
        }

        public static func path(_ path: String, _ access: FileAccess) -> Place {
            Place(target: .path(path, isLasting: false), access: access)
        }

        /// A folder of the system's, or a device, which nobody puts another in the place of while this process and
        /// its forks run.
        public static func lasting(_ path: String, _ access: FileAccess) -> Place {
            Place(target: .path(path, isLasting: true), access: access)
        }

        public static func beneath(_ folder: Directory, _ relative: String, _ access: FileAccess) -> Place {
            Place(target: .beneath(folder, relative), access: access)
        }
    }

    public enum TCPPorts: Sendable, Equatable {
        case all
        case these(connecting: Set<UInt16>, listening: Set<UInt16>)

        public static let none = TCPPorts.these(connecting: [], listening: [])
    }

    /// Sockets the process may make. Those it is given it may use in any case.
    public struct SocketKinds: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let local = SocketKinds(rawValue: 1 << 0)
        public static let tcp = SocketKinds(rawValue: 1 << 1)
        public static let datagrams = SocketKinds(rawValue: 1 << 2)
    }

    public var places: [Place]
    public var tcpPorts: TCPPorts
    public var sockets: SocketKinds

    public init(places: [Place], tcpPorts: TCPPorts = .none, sockets: SocketKinds = []) {
        self.places = places
        self.tcpPorts = tcpPorts
        self.sockets = sockets
    }
}
