import ArgumentParser
import Bytewise
import SystemIO
import Threading
import WriterModel

struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a server on this machine ask for no new work, and wait until its writers have ended.",
        discussion: """
            The server gets SIGUSR1: /readyz says 503 from then on, so that proxies send it nothing \
            new, and it keeps what it has. It does not end; SIGTERM does that. The server's user may do this, \
            and root. The exit code is 0 once no writer is live, and 1 when the time is over.
            """)

    @Option(help: "The server's process; in a container it is 1.")
    var pid: Int32

    @Option(help: "Seconds to wait at most.")
    var timeout: Int = 3_600

    @Option(help: "Seconds to wait at least: as long as proxies take to see that the server is not ready.")
    var atLeast: Int = 10

    @OptionGroup var server: ServerOnThisMachine

    func validate() throws {
        if pid < 1 { throw ValidationError("--pid is \(pid) and must be the number of a process.") }
        for (name, value) in [("timeout", timeout), ("at-least", atLeast)] where !(0...1_000_000).contains(value) {
            throw ValidationError("--\(name) is \(value) and must be from 0 to 1000000.")
        }
    }

    func run() throws {
        let least = Deadline.after(.seconds(atLeast))
        let most = Deadline.after(.seconds(max(timeout, atLeast)))
        // The signal is on its way when a first look may still find the server ready.
        let heard = Deadline.after(.seconds(5))
        // A process that has no use for the signal would be ended by it.
        try Self.requireServer(pid)
        let server = try server.found()
        guard try server.get("/livez") != nil else { throw Self.failure("no server responds at \(server.address).") }
        if !Signal.send(Signal.userDefined1, to: pid) {
            throw Self.failure("this user may not signal process \(pid); run this as the server's user, or as root.")
        }
        var told: Int64?
        while true {
            // A server that is gone has no writers.
            guard let response = try? server.get("/readyz") else { return }
            switch Self.liveWriters(response) {
            case nil where response.status == 401:
                throw Self.failure("/readyz asks for a token (--protect-operations), which this command has not.")
            // Ending by another signal.
            case nil where response.status == 503: break
            case nil where heard.hasPassed: throw Self.failure("process \(pid) is not the server at \(server.address), or is not to be signalled.")
            case let count?:
                if count != told { print("live writers: \(count)") }
                told = count
                if count == 0 && least.hasPassed { return }
            case nil: break
            }
            if most.hasPassed { throw Self.failure("the time is over; live writers: \(told ?? 0).") }
            SystemThread.sleep(.milliseconds(told == nil ? 50 : 500))
        }
    }

    private static func requireServer(_ process: Int32) throws {
        let isServer: Bool
        do throws(SystemError) {
            let path = try ChildProcess.executablePath(of: process)
            let running = path.without(suffix: " (deleted)") ?? path
            isServer = isServersName(running) || running.isSame(as: ChildProcess.executablePath)
        } catch {
            // The kernel keeps it from a server's own user as well, where root has started the server (--user). The
            // process's name is for all to see.
            isServer = !error.isMissing && ChildProcess.name(of: process).map(isServersName) ?? false
        }
        if !isServer { throw failure("process \(process) is not a penstock server.") }
    }

    /// `path`: or the name alone, of which the kernel keeps 15 bytes.
    private static func isServersName(_ path: String) -> Bool { (path.cutAtLast("/")?.after ?? path).isSame(as: "penstock") }

    /// nil: it is not being drained.
    private static func liveWriters(_ response: (status: Int, body: [UInt8])) -> Int64? {
        guard response.status == 503, let object = (try? JSONParser.parse(response.body))?.objectValue else { return nil }
        return object["live_writers"]?.integerValue
    }

    private static func failure(_ text: String) -> any Error {
        StandardError.write(Array("penstock drain: \(text)\n".utf8))
        return ExitCode(1)
    }
}
