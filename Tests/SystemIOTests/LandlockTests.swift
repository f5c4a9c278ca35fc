import CRawCall
import Glibc
import SystemIO
import Testing

/// On the running kernel, which must have Landlock.
@Suite struct LandlockTests {
    private let folder = TemporaryFolder()

    /// `own` and `foreign` hold a file each.
    private func prepared() throws -> (own: String, foreign: String) {
        for name in ["own", "foreign"] {
            let made = try Directory(path: folder.path + "/" + name)
            try made.writeAtomically("file", Array("secret".utf8))
        }
        return (folder.path + "/own", folder.path + "/foreign")
    }

    @Test func onlyNamedPlacesAreReadAndWritten() throws {
        let (own, foreign) = try prepared()
        let rules = SandboxRules(places: [.path(own, .change), .path("/etc/hosts", .read)])
        #expect(try confined(rules) { openAndClose(own + "/file", O_RDWR) } == 0)
        #expect(try confined(rules) { openAndClose(own + "/new", O_RDWR | O_CREAT) } == 0)
        #expect(try confined(rules) { failure(unlink(own + "/new")) } == 0)
        #expect(try confined(rules) { openAndClose("/etc/hosts", O_RDONLY) } == 0)
        #expect(try confined(rules) { openAndClose("/etc/hosts", O_RDWR) } == EACCES)
        #expect(try confined(rules) { openAndClose("/etc/passwd", O_RDONLY) } == EACCES)
        for flags in [O_RDONLY, O_WRONLY, O_RDWR | O_CREAT] {
            #expect(try confined(rules) { openAndClose(foreign + "/file", flags) } == EACCES)
        }
        #expect(try confined(rules) { openAndClose(foreign, O_RDONLY | O_DIRECTORY) } == EACCES)
        #expect(try confined(rules) { failure(unlink(foreign + "/file")) } == EACCES)
        #expect(try confined(rules) { failure(mkdir(foreign + "/x", 0o755)) } == EACCES)
        #expect(try confined(rules) { failure(rename(own + "/file", foreign + "/stolen")) } != 0)
        #expect(try confined(rules) { failure(rename(foreign + "/file", own + "/stolen")) } != 0)
        #expect(try confined(rules) { failure(link(foreign + "/file", own + "/linked")) } != 0)
        #expect(try Directory(path: foreign).readFile("file") == Array("secret".utf8))
    }

    /// As the gateway has it: it starts programs and reads what it likes.
    @Test func aProcessThatMayChangeFilesInPlacesChangesNoneElsewhere() throws {
        let (own, foreign) = try prepared()
        func inside(_ body: () throws -> Int32) throws -> Int32 {
            try inFork {
                try Sandbox.confineChanges(to: [.path(own, .change), .path("/dev", .writeFiles)])
                return try body()
            }
        }
        #expect(try inside { openAndClose(foreign + "/file", O_RDONLY) } == 0)
        #expect(try inside { openAndClose(foreign + "/file", O_WRONLY) } == EACCES)
        #expect(try inside { openAndClose(foreign + "/new", O_RDWR | O_CREAT) } == EACCES)
        #expect(try inside { failure(unlink(foreign + "/file")) } == EACCES)
        #expect(try inside { failure(mkdir(foreign + "/x", 0o755)) } == EACCES)
        #expect(try inside { failure(rename(own + "/file", foreign + "/stolen")) } != 0)
        #expect(try inside { failure(symlink("/etc/passwd", foreign + "/link")) } == EACCES)
        #expect(try inside { openAndClose("/dev/null", O_RDWR) } == 0)
        #expect(try inside { openAndClose(own + "/new", O_RDWR | O_CREAT) } == 0)
        #expect(try inside { failure(mkdir(own + "/sub", 0o755)) } == 0)
        #expect(try inside { failure(rename(own + "/new", own + "/sub/moved")) } == 0)
        #expect(try inside { failure(unlink(own + "/sub/moved")) } == 0)
        // What it starts is bound as well.
        let program = try inside {
            let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup("echo x > \(foreign)/file || exit 7"), nil]
            execv("/bin/sh", arguments)
            return 1
        }
        #expect(program == 7 || program == 2)
        #expect(try Directory(path: foreign).readFile("file") == Array("secret".utf8))
    }

    /// As the fork server has it: found before, named by its forks.
    @Test(arguments: [false, true])
    func aPlaceThatLastsIsWhatWasFoundAndIsNotHeldOpen(narrowing: Bool) throws {
        let (own, foreign) = try prepared()
        let found = folder.path + "/found"
        let rules = SandboxRules(places: [
            .lasting(own, .read), .lasting("/dev/null", [.readFiles, .writeFiles]), .lasting(own + "/none", .read), .path("/proc/self", .read),
        ])
        let wrong = try inFork {
            Sandbox.find(rules.places)
            if rename(own, found) < 0 || mkdir(own, 0o755) < 0 { return 1 }
            try Sandbox.enter(
                rules, .init(memoryBytes: nil, fileBytes: nil, descriptors: 256), keeping: [], isRequired: true, narrowsLater: narrowing)
            if narrowing { try Sandbox.narrow(to: rules) }
            if openAndClose(found + "/file", O_RDONLY) != 0 { return 2 }
            if openAndClose(found + "/file", O_RDWR) != EACCES { return 3 }
            if openAndClose(own, O_RDONLY | O_DIRECTORY) != EACCES { return 4 }
            if openAndClose(foreign + "/file", O_RDONLY) != EACCES { return 5 }
            if openAndClose("/dev/null", O_RDWR) != 0 { return 6 }
            // The standard streams, and two for the list.
            return Directory.names(in: "/proc/self/fd").count == 5 ? 0 : 7
        }
        #expect(wrong == 0)
    }

    @Test func wayAroundByALinkLeadsNowhere() throws {
        let (own, foreign) = try prepared()
        #expect(symlink(foreign + "/file", own + "/link") == 0)
        let rules = SandboxRules(places: [.path(own, .change)])
        #expect(try confined(rules) { openAndClose(own + "/link", O_RDONLY) } == EACCES)
        #expect(try confined(rules) { openAndClose(own + "/../foreign/file", O_RDONLY) } == EACCES)
        #expect(try confined(rules) { openAndClose("/proc/self/root" + foreign + "/file", O_RDONLY) } == EACCES)
        // A folder that was opened before it was confined leads no further either.
        let number = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(number) }
        let read = try confined(rules, keeping: [number]) {
            let file = openat(number, "foreign/file", O_RDONLY)
            return failure(file)
        }
        #expect(read == EACCES)
    }

    @Test func nothingOfALargerWorldIsMade() throws {
        let (own, _) = try prepared()
        let rules = SandboxRules(places: [.path(own, .change)])
        #expect(try confined(rules) { failure(symlink("/etc/passwd", own + "/link")) } == EACCES)
        #expect(try confined(rules) { failure(mkfifo(own + "/pipe", 0o600)) } != 0)
        #expect(try confined(rules) { failure(mknod(own + "/null", S_IFCHR | 0o600, 0x103)) } != 0)
        #expect(try confined(rules) { failure(mkdir(own + "/sub", 0o755)) } == 0)
    }

    @Test func programIsNotRunEvenWhereFilesMayBeRead() throws {
        let rules = SandboxRules(places: [.path("/", .read)])
        let tried = try confined(rules) {
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
            return failure(execv("/bin/true", &arguments))
        }
        #expect(tried == EPERM || tried == EACCES)
    }

    @Test func onlyTheseTCPPortsAreReached() throws {
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let other = try Listener(host: "127.0.0.1", port: 0)
        let port = listener.address.port
        let rules = SandboxRules(
            places: [], tcpPorts: .these(connecting: [port], listening: []), sockets: .tcp)
        #expect(try confined(rules) { reach(port) } == 0)
        #expect(try confined(rules) { reach(other.address.port) } == EACCES)
        #expect(try confined(rules) { reach(0, listening: true) } == EACCES)
        let all = SandboxRules(places: [], tcpPorts: .all, sockets: .tcp)
        #expect(try confined(all) { reach(other.address.port) } == 0)
        #expect(try confined(all) { reach(0, listening: true) } == 0)
    }

    @Test func otherProcessesGetNoSignal() throws {
        let rules = SandboxRules(places: [])
        let parent = Int(getpid())
        #expect(try confined(rules) { raw_call("tgkill", parent, parent, 0, 0) } == EPERM)
    }

    @Test func oneFileIsWrittenAndRemovedAndNoOther() throws {
        let (own, _) = try prepared()
        let outputs = try Directory(path: own)
        try outputs.writeAtomically("theirs", Array("theirs".utf8))
        let rules = SandboxRules(places: [
            .beneath(outputs, "file", [.readFiles, .writeFiles]), .beneath(outputs, ".", .removeFiles),
        ])
        func opened(_ name: String, _ flags: Int32) throws -> Int32 {
            try confined(rules, keeping: [outputs.descriptor]) { openAndClose(own + "/" + name, flags) }
        }
        #expect(try opened("file", O_RDWR | O_TRUNC) == 0)
        #expect(try opened("theirs", O_RDONLY) == EACCES)
        #expect(try opened("theirs", O_WRONLY) == EACCES)
        #expect(try opened("new", O_WRONLY | O_CREAT) == EACCES)
        let removed = try confined(rules, keeping: [outputs.descriptor]) {
            do throws(SystemError) {
                try outputs.removeFile("file")
                return 0
            } catch { return error.number }
        }
        #expect(removed == 0)
        #expect(try outputs.entries().sorted() == ["theirs"])
    }
}
