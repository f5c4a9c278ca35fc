import Bytewise
import Gateway
import SystemIO

// What a machine must have for the settings: looked at by `penstock config --check`. A server finds it when it starts.
extension EffectiveSettings {
    var flawsOfMachine: [SettingsFlaw] {
        var flaws = settings.folders.flatMap { flawsOfFolder($0.setting, $0.path) }
        if let row = row("state-dir"), let refusal = Gateway.refusal(ofStateDirectory: settings.stateDirectory) {
            // A flaw's sentence gets its full stop when it is shown.
            flaws.append(flaw(.warning, row, String(refusal.description.dropLast())))
        }
        for place in listenedOn { flaws += aboutPlace(place, judgesRights: judgesRights) }
        return flaws + flawsOfFiles
    }

    /// With those of the machine where nothing else is wrong: they follow from settings that are understood. A token
    /// file is what it is.
    var flawsWithMachine: [SettingsFlaw] { flaws + (flaws.hasErrors ? flawsOfFiles : flawsOfMachine) }

    private var flawsOfFiles: [SettingsFlaw] { flawsOfTokenFile + flawsOfSecretFile + flawsOfAuthorityFile }

    private var flawsOfAuthorityFile: [SettingsFlaw] {
        guard let path = settings.caFile, let row = row("ca-file"), let reason = AuthorityFile.flaw(of: path) else { return [] }
        return [flaw(.error, row, "ca-file can't be used: \(reason)")]
    }

    private var flawsOfTokenFile: [SettingsFlaw] {
        guard let path = settings.tokenFile, let row = row("token-file") else { return [] }
        return aboutTokenFile(row, path)
    }

    private var flawsOfSecretFile: [SettingsFlaw] {
        guard let path = settings.webhooks.secretFile, let row = row("webhook-secret-file") else { return [] }
        do throws(WebhookSecretFile.Unusable) {
            _ = try WebhookSecretFile(path: path).read()
        } catch {
            return [flaw(.error, row, "webhook-secret-file can't be used: \(error.description)")]
        }
        if !File.isReadableByOthers(path) { return [] }
        return [flaw(.warning, row, "webhook-secret-file is \(path), which every user can read; chmod 640 keeps its secrets")]
    }

    /// Another user's rights are not this process's.
    private var judgesRights: Bool { settings.user.map(\.isCurrent) ?? true }

    func flawsOfFolder(_ name: String, _ path: String) -> [SettingsFlaw] {
        row(name).map { aboutFolder($0, path, judgesRights: judgesRights) } ?? []
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
        // Rights alone don't tell: root may write in /proc, where no folder can be made.
        do throws(SystemError) {
            try Directory.tryMaking(in: parent)
        } catch {
            if !error.isForbidden || judgesRights { return [flaw(.error, row, "\(name) is \(path), which can't be made in \(parent): \(error.reason)")] }
        }
        return [flaw(.warning, row, "\(name) is \(path), which is not there yet; the server makes it")]
    }

    /// Each place with the setting that has it. The agent's port serves no requests.
    private var listenedOn: [(row: Row, place: ListenPlace, servesRequests: Bool)] {
        var places: [(Row, ListenPlace, Bool)] = []
        for (index, place) in settings.places.enumerated() {
            if let row = row(settings.listensOnHost && settings.port != nil && index == 0 ? "host" : "listen") { places.append((row, place, true)) }
        }
        if let port = settings.agentPort, let row = row("agent-port") { places.append((row, .tcp(host: settings.host, port: port), false)) }
        return places
    }

    /// As the server takes the place itself, when it starts.
    private func aboutPlace(_ listened: (row: Row, place: ListenPlace, servesRequests: Bool), judgesRights: Bool) -> [SettingsFlaw] {
        let (row, place, servesRequests) = listened
        let subject = "\(row.setting.name) \(row.setting.form == .list ? "has" : "is") \(shownPlace(place, row))"
        if case .local(let local) = place, !(File.stamp(local.folder)?.isFolder ?? false) {
            return [flaw(.error, row, "\(subject), and there is no folder \(local.folder)")]
        }
        do throws(SystemError) {
            if let address = try place.networkAddress(), servesRequests, !address.isLoopback, !settings.asksForTokens, !settings.servesWithoutTokens {
                return [flaw(.error, row, "\(subject), which other machines reach, and there are no tokens; give token-file or tokens, or no-auth if that is meant")]
            }
        } catch {
            return [flaw(.error, row, "\(subject), where no server can listen: \(error.description)")]
        }
        do throws(LocalSocketFailure) {
            try place.tryOut()
            return []
        } catch {
            if error.isInUse {
                // A host's setting says nothing of the port.
                var port = ""
                if row.setting.name.isSame(as: "host"), case .tcp(_, let number) = place { port = " on port \(number)" }
                return [flaw(.warning, row, "\(subject), where a server listens now\(port); another can't beside it")]
            }
            if error.isForbidden && !judgesRights { return [] }
            return [flaw(.error, row, "\(subject), where no server can listen: \(error.description)")]
        }
    }

    private func shownPlace(_ place: ListenPlace, _ row: Row) -> String {
        if row.setting.form == .list { return place.description }
        return row.setting.name.isSame(as: "agent-port") ? row.values.first ?? "" : settings.host
    }

    private func aboutTokenFile(_ row: Row, _ path: String) -> [SettingsFlaw] {
        // A pipe can be read once, by the server.
        if let stamp = File.stamp(path), stamp.isPipe || stamp.isFolder { return stamp.isFolder ? [flaw(.error, row, "token-file is \(path), which is a folder")] : [] }
        var flaws: [SettingsFlaw] = []
        do throws(TokenFile.Unusable) {
            let lines = try TokenFile(path: path).read()
            if File.isReadableByOthers(path) {
                flaws.append(flaw(.warning, row, "token-file is \(path), which every user can read; chmod 640 keeps its tokens"))
            }
            if lines.endsWithinLine { flaws.append(flaw(.warning, row, "the last line of \(path) has no newline: it does not count")) }
        } catch {
            flaws.append(flaw(.error, row, "token-file can't be used: \(error.description)"))
        }
        return flaws
    }
}
