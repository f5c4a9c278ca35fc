import Bytewise
import Gateway
import Logging
import ServiceLog
import Synchronization
import SystemIO

/// Reads the settings of a running server again: says what has changed, what needs a restart, and what is wrong.
final class SettingsReload: Sendable {
    private let source: SettingsSource
    private let threshold: LogThreshold
    private let log: Logger
    /// Those that the server runs with.
    private let running: Mutex<EffectiveSettings>

    init(_ source: SettingsSource, running: EffectiveSettings, threshold: LogThreshold, log: Logger) {
        self.source = source
        self.running = Mutex(running)
        self.threshold = threshold
        self.log = log
    }

    /// The settings, and what is to be done once they are in force. nil: something is wrong, of which the log tells,
    /// and nothing changes.
    func read() -> (settings: Settings, onceInForce: @Sendable () -> Void)? {
        let new = source.read()
        for flaw in new.flaws.inOrder {
            log.log(level: flaw.severity == .error ? .error : .warning, "\(flaw.sentence)")
        }
        if new.flaws.hasErrors {
            log.error("nothing has changed: the configuration has errors")
            return nil
        }
        return (new.settings, { [self] in take(new) })
    }

    private func take(_ new: EffectiveSettings) {
        running.withLock { running in
            tell(of: new, running)
            running = running.reloading(new)
        }
        threshold.level = new.settings.logLevel
    }

    private func tell(of new: EffectiveSettings, _ running: EffectiveSettings) {
        let changed = new.rows.filter { row in running.row(row.setting.name).map { !$0.values.elementsEqual(row.values) { $0.isSame(as: $1) } } ?? false }
        let stores = new.settings.stores == running.settings.stores ? [] : [ConfigurationFile.storesKey]
        let atOnce = changed.filter(\.setting.isReloadable).map(\.setting.name) + stores
        if !atOnce.isEmpty { log.info("settings have changed", metadata: ["settings": "\(atOnce.joined(separator: " "))"]) }
        for row in changed where !row.setting.isReloadable {
            log.warning("\(row.setting.name) has changed and needs a restart", metadata: ["place": "\(new.shown(row))"])
        }
        if new.settings.asksForTokens != running.settings.asksForTokens {
            if running.settings.asksForTokens {
                log.warning("tokens are still asked for: a server without them needs a restart")
            } else {
                // Whoever gave them takes the server for closed.
                log.error("tokens are not asked for yet: that needs a restart")
            }
        }
    }
}

extension EffectiveSettings {
    /// With the rows of another where a running server takes them.
    fileprivate func reloading(_ other: EffectiveSettings) -> EffectiveSettings {
        var result = self
        result.replaceRows { row in row.setting.isReloadable ? other.row(row.setting.name) ?? row : row }
        result.replaceStores(other.settings.stores)
        return result
    }
}
