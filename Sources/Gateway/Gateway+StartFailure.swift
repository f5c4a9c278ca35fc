import SystemIO

extension Gateway {
    /// Why a server does not start.
    public enum StartFailure: Error, CustomStringConvertible {
        case system(SystemError)
        case socket(LocalSocketFailure)
        case tokens(String)
        case webhookSecrets(String)
        case authorities(String)
        /// Without tokens the server is open to all that can reach it.
        case openToAll(host: String)
        case noSandbox(missing: [String])
        case notRoot(ProcessUser)
        case folderOfOthers(String, user: String)
        /// By another server.
        case stateDirectoryInUse(String, by: StateHolder?)
        /// By so many bytes.
        case settingsTooLong(Int)

        public var description: String {
            switch self {
            case .system(let error): error.description
            case .socket(let failure): failure.description
            case .tokens(let reason), .webhookSecrets(let reason): reason
            case .authorities(let reason): "--ca-file: \(reason)."
            case .openToAll(let host):
                "\(host) can be reached by other machines and there are no tokens. "
                    + "Give --token-file, or --no-auth if that is meant."
            case .noSandbox(let missing):
                "--require-sandbox: this system has no \(missing.joined(separator: " and no "))."
            case .settingsTooLong(let excess):
                "the tokens, --allow-output and --allow-callback patterns and paths together are \(excess) bytes more than an encoder can be told. Give fewer or shorter ones."
            case .notRoot(let user):
                "--user: only root can become \(user). Start penstock as root, or as that user and without --user."
            case .stateDirectoryInUse(let path, let holder):
                "another penstock is running on the state directory \(path)\(holder.map { ": \($0)" } ?? ""). Stop it, or give this one a --state-dir of its own."
            case .folderOfOthers(let path, let user):
                "\(path) can't be written by \(user). Give it to that user (chown -R), or name another folder."
            }
        }
    }
}
