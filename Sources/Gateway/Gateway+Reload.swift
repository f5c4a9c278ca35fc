import APICore
import Logging
import SystemIO
import WriterModel

// What a gateway takes while it serves: another configuration, other tokens.
extension Gateway {
    /// On SIGHUP: what the server was configured by, and the tokens.
    func reload() {
        guard let reread else {
            if tokens.current != nil { return reloadTokens(now: true) }
            log.warning("nothing to read again: there is neither a configuration file nor a token file")
            return
        }
        guard let read = reread() else { return }
        let new = read.configuration
        if let excess = encoders.excessOfSettings(by: configuration.value.reloading(new)) {
            log.error("nothing has changed: \(StartFailure.settingsTooLong(excess))")
            return
        }
        do throws(TokenFile.Unusable) {
            _ = try tokens.use(new.tokens) { putInForce($0) }
        } catch {
            log.error("nothing has changed: the tokens can't be read", metadata: ["error": "\(error.description)"])
            return
        }
        longestGrace.withLock { $0 = max($0, new.limits.shutdownGrace) }
        configuration.reload(new)
        read.onceInForce()
        log.info("the configuration was read again")
    }

    /// Tells every encoder of a token file that has changed; with `now`, of one that has not, too.
    func reloadTokens(now: Bool = false) {
        do throws(TokenFile.Unusable) {
            try tokens.reload(now: now) { putInForce($0) }
        } catch {
            log.error("the old tokens stay in force", metadata: ["error": "\(error.description)"])
        }
    }

    private func putInForce(_ lines: TokenLines) {
        var tables: [String?: TokenTable] = [:]
        for link in registry.liveLinks {
            let table = tables[link.writer.owner] ?? lines.table(reaching: link.writer.owner)
            tables[link.writer.owner] = table
            link.tell(tokens: table, revision: lines.revision)
        }
        log.info("tokens were read again", metadata: ["count": "\(lines.lines.count)"])
        tell(ofCutLine: lines)
        makeFolders(of: lines)
    }

    func tell(ofCutLine lines: TokenLines) {
        if !lines.endsWithinLine { return }
        log.warning("the last line of the token file has no newline: it does not count before it has")
    }

    /// At the start: no writer can take their names then.
    func makeFolders(of lines: TokenLines) {
        var made = Set<[UInt8]>()
        for line in lines.lines {
            guard let folder = line.limits.folder, made.insert(Array(folder.utf8)).inserted else { continue }
            do throws(SystemError) {
                try records.makeOutputFolder(folder)
            } catch {
                log.error(
                    "the folder of a token's writers can't be made",
                    metadata: ["line": "\(line.number)", "name": "\(line.name ?? "")", "error": "\(error)"])
            }
        }
    }
}
