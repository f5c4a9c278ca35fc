import Bytewise
import Logging
import ServiceLog
import SystemIO
import WriterModel

/// Settings that stand together in `--help`.
protocol SettingSection {
    static var settings: [Setting] { get }
}

extension Setting {
    /// The one table of settings; the limits among them are `ServiceLimits.fields`.
    static let all: [Setting] = PlaceSettings.settings + AccessSettings.settings + WebhookSettings.settings + LimitSettings.settings + LogSettings.settings
}

enum PlaceSettings: SettingSection {
    static let settings: [Setting] = [
        .text("host", "address", \.host, "The address to listen on."),
        Setting(
            "port", .value, "port", rule: "from 0 to 65535, or none", fallback: "8080", "The port to listen on; 0 takes a free one, none leaves --listen alone.",
            "The log says which."
        ) { text, settings throws(Setting.Flaw) in
            settings.port = text.isSame(as: "none") ? nil : try port(text)
        },
        Setting(
            "listen", .list, "place", rule: ListenPlace.rule, "An address or a socket to listen on besides --host and --port, or in their place. Repeatable.",
            """
            The mode of a socket is 0660 where none is given; its folder must be there. A socket that a dead server has left is replaced. \
            In the environment: several, separated by spaces.
            """
        ) { text, settings throws(Setting.Flaw) in
            do throws(ListenPlace.Flaw) {
                settings.listen.append(try ListenPlace(text))
            } catch {
                throw Setting.Flaw(reason: "is \(text), which \(error.reason); it must be \(ListenPlace.rule)")
            }
        },
        Setting(
            "agent-port", .value, "port", rule: "from 0 to 65535", "A port where HAProxy's agent-check is told the server's weight; 0 takes a free one.",
            "The weight is from 0% (drained) to 100% (idle), by the load average, the writers and --max-load."
        ) { text, settings throws(Setting.Flaw) in
            settings.agentPort = try port(text)
        },
        Setting(
            "node", .value, "name", rule: NodeName.rule, "The server's name among several: ids that it makes begin with it and a hyphen.",
            "A proxy finds the server of a writer by it."
        ) { text, settings throws(Setting.Flaw) in
            guard let name = NodeName(text) else {
                throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be \(NodeName.rule)")
            }
            settings.node = name
        },
        Setting(
            "peers", .list, "places", rule: PeerPlace.rule, "The other nodes (--node), whose writers GET /v1/writers lists as well. Repeatable.",
            """
            NAME=http://HOST:PORT of each, the same list for each node, or dns:NAME:PORT, where each address of the name is a node. \
            In the environment: several, separated by commas or spaces.
            """
        ) { text, settings throws(Setting.Flaw) in
            do throws(PeerPlace.Flaw) {
                settings.peers = try PeerPlace.list(text, after: settings.peers)
            } catch {
                throw Setting.Flaw(reason: error.reason)
            }
        },
        .text("output-dir", "folder", \.outputDirectory, "The folder for relative destinations (dst).", "Writers write no files outside it."),
        .text(
            "state-dir", "folder", \.stateDirectory, "The folder for records, and for outputs without a dst.",
            "It is one server's at a time: it is locked, and a second server does not start."),
        Setting(
            "output-mode", .value, "mode", rule: OutputMode.rule, "The mode of files that writers make, as 0640: the owner, the group, others.",
            "Who may read a file may enter the folders that are made for it. Without it: as the process's umask has it (UMask= of a unit)."
        ) { text, settings throws(Setting.Flaw) in
            guard let mode = OutputMode(text) else {
                throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be \(OutputMode.rule)")
            }
            settings.outputMode = mode
        },
    ]

    private static func port(_ text: String) throws(Setting.Flaw) -> UInt16 {
        guard text.utf8.allSatisfy(\.isASCIIDigit), let port = UInt16(text) else {
            throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be a port, from 0 to 65535")
        }
        return port
    }
}

enum AccessSettings: SettingSection {
    static let settings: [Setting] = [
        .text(
            "token-file", "file", \.tokenFile,
            "A file of bearer tokens, one a line. It is read again when it changes, and on SIGHUP.",
            """
            Behind a token: 'read', or any of name=N scope=read|write|admin folder=PATH max-writers=N max-output-bytes=N \
            allow-output=PATTERN allow-store=NAME allow-callback=PATTERN. A token with a name has writers of its own. A configuration file may have tokens instead. Without tokens \
            the server listens on loopback only.
            """, reloadable: true),
        .flag("protect-operations", \.protectsOperations, "Ask for a token at /livez, /readyz, /metrics and /openapi.yaml too.", reloadable: true),
        Setting(
            "allow-output", .list, "pattern", rule: "a URL with *",
            "A destination URL that writers may use, with * for any text: 'rtmp://*.example.com/*'. Repeatable.",
            "Without it, writers write files only. In the environment: several, separated by spaces.", reloadable: true,
            shown: { OutputPolicy.shown(pattern: $0) }
        ) { text, settings throws(Setting.Flaw) in
            if let flaw = OutputPolicy.flaw(ofPattern: text) { throw Setting.Flaw(reason: "\(OutputPolicy.shown(pattern: text)) \(flaw)") }
            settings.outputPatterns.append(text)
        },
        .flag("allow-devices", \.allowsDevices, "Let writers use output devices (sdl, alsa, …)."),
        .flag("require-sandbox", \.requiresSandbox, "Refuse to start where encoders would run without Landlock or seccomp."),
        .flag(
            "no-verify", \.leavesOutputsUnverified,
            "Do not read finished outputs back before their writers are closed, unless a writer asks for it (verify).", reloadable: true),
        .text(
            "ca-file", "file", \.caFile, "A file of certificates, in PEM, of authorities that uploads and webhooks trust besides the system's.",
            "For servers with certificates of a company's own. Processes read it when they begin."),
        Setting("user", .value, "name[:group]", "Started by root: the user, and group, that the server runs as once the port is bound.") {
            text, settings throws(Setting.Flaw) in
            do throws(ProcessUser.Unknown) {
                settings.user = try ProcessUser(text)
            } catch {
                throw Setting.Flaw(reason: "\(text): \(error.description)")
            }
        },
        .flag("no-auth", \.servesWithoutTokens, "Listen beyond loopback although there are no tokens."),
    ]
}

enum WebhookSettings: SettingSection {
    static let settings: [Setting] = [
        Setting(
            "webhook", .list, "url", rule: "a URL of http or https",
            "A URL that is told what becomes of every writer: opened, closed, failed, an output failed or reconnected. Repeatable.",
            "Signed as Standard Webhooks has it, and sent again until it is taken. In the environment: several, separated by spaces.", reloadable: true,
            shown: { OutputPolicy.shown(pattern: $0) }
        ) { text, settings throws(Setting.Flaw) in
            if let flaw = CallbackPolicy.flaw(ofURL: text) { throw Setting.Flaw(reason: "is \(OutputPolicy.shown(pattern: text)), and \(flaw)") }
            settings.webhooks.urls.append(text)
        },
        Setting(
            "allow-callback", .list, "pattern", rule: "a URL of http or https with *",
            "A URL that writers may name to be told of themselves (callback_url), with * for any text: 'https://*.example.com/*'. Repeatable.",
            """
            Without it, they may name none. Addresses that not everyone can reach must be named, as with --allow-output. In the \
            environment: several, separated by spaces.
            """, reloadable: true, shown: { OutputPolicy.shown(pattern: $0) }
        ) { text, settings throws(Setting.Flaw) in
            if let flaw = CallbackPolicy.flaw(ofPattern: text) { throw Setting.Flaw(reason: "\(OutputPolicy.shown(pattern: text)) \(flaw)") }
            settings.webhooks.callbackPatterns.append(text)
        },
        .text(
            "webhook-secret-file", "file", \.webhooks.secretFile, "A file of the secrets that webhooks are signed with, whsec_…, one a line. It is read again when it changes.",
            "All of them sign, so that one can replace another. Behind one, name=N: it signs the callbacks of that token's name. --webhook and --allow-callback need it."),
        Setting(
            "webhook-retry-time", .value, "seconds", rule: "from 1 to 604800", fallback: "86400",
            "How long after an event it is sent again to a receiver that has not taken it.", "Then it is given up.", reloadable: true
        ) { text, settings throws(Setting.Flaw) in
            guard text.utf8.allSatisfy(\.isASCIIDigit), let seconds = Int(text), (1...604_800).contains(seconds) else {
                throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be from 1 to 604800 seconds")
            }
            settings.webhooks.retryTime = .seconds(seconds)
        },
    ]
}

enum LimitSettings: SettingSection {
    static let settings: [Setting] = ServiceLimits.fields.map { field in
        Setting(
            field.name, .value, field.unit == .count ? "number" : field.unit.rawValue, rule: field.rule,
            fallback: field.text(in: ServiceLimits()), "\(field.help.capitalizedASCII)\(field.zero.map { "; 0: \($0)" } ?? "").", field.detail,
            reloadable: field.isReloadable
        ) { text, settings throws(Setting.Flaw) in
            let unit = field.unit == .count ? "" : " \(field.unit.rawValue)"
            guard field.set(text, in: &settings.limits) else { throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be \(field.rule)\(unit)") }
        }
    }
}

enum LogSettings: SettingSection {
    static let settings: [Setting] = [
        choice("log-format", of: LineLogHandler.Format.allCases, \.logFormat, "The form of the log, one line an event on standard error."),
        .flag("access-log", inverted: true, \.logsRequests, "Log each request.", reloadable: true),
        choice("log-level", of: Logger.Level.allCases, \.logLevel, "The lowest level that is logged.", reloadable: true),
    ]

    private static func choice<T: RawRepresentable & Sendable>(
        _ name: String, of all: [T], _ path: WritableKeyPath<Settings, T> & Sendable, _ help: String, reloadable: Bool = false
    ) -> Setting where T.RawValue == String {
        let names = all.map(\.rawValue).joined(separator: ", ")
        return Setting(name, .value, name.cutAtLast("-")?.after ?? name, rule: names, fallback: Settings()[keyPath: path].rawValue, help, reloadable: reloadable) {
            text, settings throws(Setting.Flaw) in
            guard let value = T(rawValue: text) else { throw Setting.Flaw(reason: "is \(text.isEmpty ? "empty" : text) and must be one of \(names)") }
            settings[keyPath: path] = value
        }
    }
}

extension String {
    /// The first letter large.
    fileprivate var capitalizedASCII: String {
        String(decoding: utf8.prefix(1).map { $0.isASCIILetter ? $0 & 0xDF : $0 } + utf8.dropFirst(), as: UTF8.self)
    }
}
