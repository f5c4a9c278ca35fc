import Bytewise
import SystemIO
import YAML

// Settings that each are right, and together are not.
extension EffectiveSettings {
    func contradictions(_ file: ConfigurationFile?) -> [SettingsFlaw] {
        aboutTokens(file) + aboutStores(file) + aboutWebhooks + aboutPlaces + aboutNodes + aboutFolders + aboutLoad
    }

    private func aboutTokens(_ file: ConfigurationFile?) -> [SettingsFlaw] {
        var flaws: [SettingsFlaw] = []
        if let file, let tokens = file.tokens {
            if let row = row("token-file"), row.source != .fallback {
                flaws.append(SettingsFlaw(place: .file(file.path, tokens.mark), reason: "tokens stand here and in a token file (\(shown(row))); leave one of them"))
            }
            if File.isReadableByOthers(file.path) {
                flaws.append(SettingsFlaw(
                    severity: .warning, place: .file(file.path, tokens.mark), reason: "tokens stand in a file that every user can read; chmod 640 keeps them"))
            }
        }
        let hasTokens = settings.asksForTokens
        if hasTokens, settings.servesWithoutTokens, let row = row("no-auth") {
            flaws.append(flaw(.warning, row, "no-auth changes nothing, as there are tokens"))
        }
        if !hasTokens && settings.protectsOperations, let row = row("protect-operations") {
            flaws.append(flaw(.warning, row, "protect-operations changes nothing, as there are no tokens"))
        }
        return flaws
    }

    /// A token's allow-callback= without secrets is told to who uses it.
    private var aboutWebhooks: [SettingsFlaw] {
        if settings.webhooks.secretFile != nil { return [] }
        let needing = [("webhook", settings.webhooks.urls), ("allow-callback", settings.webhooks.callbackPatterns)]
        return needing.filter { !$0.1.isEmpty }.compactMap { name, _ in
            row(name).map { flaw(.error, $0, "\(name) needs webhook-secret-file: what is sent is signed") }
        }
    }

    private var aboutPlaces: [SettingsFlaw] {
        var flaws: [SettingsFlaw] = []
        if settings.listen.isEmpty && settings.port == nil, let row = row("port") {
            flaws.append(flaw(.error, row, "port is none, and there is no listen: the server would listen nowhere"))
        }
        if let port = settings.port, port != 0, port == settings.agentPort, let row = row("agent-port") {
            flaws.append(flaw(.error, row, "agent-port and port are both \(port)"))
        }
        for (index, place) in settings.places.enumerated() where settings.places[..<index].contains(where: { $0.description.isSame(as: place.description) }) {
            if case .tcp(_, 0) = place { continue }
            if let row = row("listen") { flaws.append(flaw(.error, row, "listen has \(place), where the server listens already")) }
        }
        return flaws
    }

    private var aboutNodes: [SettingsFlaw] {
        guard !settings.peers.isEmpty, settings.node == nil, let row = row("peers") else { return [] }
        return [flaw(.error, row, "peers needs node: each of several servers has a name")]
    }

    private var aboutFolders: [SettingsFlaw] {
        guard let stateRow = row("state-dir"), let outputRow = row("output-dir") else { return [] }
        let output = ResolvedPath(settings.outputDirectory), state = ResolvedPath(settings.stateDirectory)
        switch (state.lies(within: output), output.lies(within: state)) {
        case (true, true): return [flaw(.error, stateRow, "state-dir and output-dir are both \(state.text); each needs a folder of its own")]
        case (true, false):
            return [flaw(.error, stateRow, "state-dir is \(state.text), which lies within output-dir, where clients name files; each needs a folder of its own")]
        case (false, true):
            return [flaw(.error, outputRow, "output-dir is \(output.text), which lies within state-dir, where the server's records are; each needs a folder of its own")]
        case (false, false): return []
        }
    }

    private var aboutLoad: [SettingsFlaw] {
        guard settings.limits.maxLoad > 0, CPUPressure.percent == nil, let row = row("max-load") else { return [] }
        return [flaw(.error, row, "max-load needs a kernel that has /proc/pressure/cpu; this one has not")]
    }

    func flaw(_ severity: SettingsFlaw.Severity, _ row: Row, _ reason: String) -> SettingsFlaw {
        var place = SettingsFlaw.Place.together
        if case .file(let path, let line) = row.source { place = .file(path, YAMLMark(line: line, column: 1)) }
        return SettingsFlaw(severity: severity, place: place, reason: reason)
    }

    /// Where a setting comes from.
    func shown(_ row: Row) -> String {
        switch row.source {
        case .commandLine: "--\(row.setting.name)"
        case .environment(let variable): variable
        case .file(let path, let line): "\(path):\(line)"
        case .fallback: "default"
        }
    }
}
