import Bytewise
import Gateway
import SystemIO

// What a machine must have for the settings: looked at by `penstock config --check`. A server finds it when it starts.
extension EffectiveSettings {
    var flawsOfMachine: [SettingsFlaw] {
        var flaws: [SettingsFlaw] = []
        // Another user's rights are not this process's.
        let judgesRights = settings.user.map(\.isCurrent) ?? true
        for (name, path) in [("output-dir", settings.outputDirectory), ("state-dir", settings.stateDirectory)] {
            if let row = row(name) { flaws += aboutFolder(row, path, judgesRights: judgesRights) }
        }
        for case .local(let place) in settings.listen where !(File.stamp(place.folder)?.isFolder ?? false) {
            if let row = row("listen") { flaws.append(flaw(.error, row, "listen has unix:\(place.path), and there is no folder \(place.folder)")) }
        }
        flaws += aboutOpenPlaces
        if let path = settings.tokenFile, let row = row("token-file") { flaws += aboutTokenFile(row, path) }
        return flaws
    }

    private func aboutFolder(_ row: Row, _ path: String, judgesRights: Bool) -> [SettingsFlaw] {
        let name = row.setting.name
        if let stamp = File.stamp(path) {
            if !stamp.isFolder { return [flaw(.error, row, "\(name) is \(path), which is no folder")] }
            if judgesRights && !Directory.isWritable(path) { return [flaw(.error, row, "\(name) is \(path), where this user can't write")] }
            return []
        }
        var parent = path
        while File.stamp(parent) == nil {
            guard let (before, _) = parent.cutAtLast("/") else {
                parent = "."
                break
            }
            parent = before.utf8.isEmpty ? "/" : before
        }
        if File.stamp(parent)?.isFolder != true { return [flaw(.error, row, "\(name) is \(path), which can't be made: \(parent) is no folder")] }
        if judgesRights && !Directory.isWritable(parent) {
            return [flaw(.error, row, "\(name) is \(path), which is not there, and this user can't make it in \(parent)")]
        }
        return [flaw(.warning, row, "\(name) is \(path), which is not there yet; the server makes it")]
    }

    private var aboutOpenPlaces: [SettingsFlaw] {
        if settings.asksForTokens || settings.servesWithoutTokens { return [] }
        for case .tcp(let host, let port) in settings.places where Self.isBeyondLoopback(host) {
            let name = settings.listensOnHost && host.isSame(as: settings.host) && port == settings.port ? "host" : "listen"
            guard let row = row(name) else { continue }
            return [flaw(.error, row, "\(name) is \(host), which other machines reach, and there are no tokens; give token-file or tokens, or no-auth if that is meant")]
        }
        return []
    }

    /// Of a name that is looked up it is not known here.
    private static func isBeyondLoopback(_ host: String) -> Bool {
        let isAddress = host.holds(":") || host.utf8.allSatisfy { $0.isASCIIDigit || $0 == UInt8(ascii: ".") }
        return isAddress && !host.begins(with: "127.") && !host.isSame(as: "::1") && !host.begins(with: "::ffff:127.")
    }

    private func aboutTokenFile(_ row: Row, _ path: String) -> [SettingsFlaw] {
        // A pipe can be read once, by the server.
        if let stamp = File.stamp(path), !stamp.isRegular { return stamp.isFolder ? [flaw(.error, row, "token-file is \(path), which is a folder")] : [] }
        do throws(TokenFile.Unusable) {
            let lines = try TokenFile(path: path).read()
            return lines.endsWithinLine ? [flaw(.warning, row, "the last line of \(path) has no newline: it does not count")] : []
        } catch {
            return [flaw(.error, row, "token-file can't be used: \(error.description)")]
        }
    }
}
