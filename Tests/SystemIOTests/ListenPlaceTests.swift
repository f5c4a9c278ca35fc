import Glibc
import SystemIO
import Testing

@Suite struct ListenPlaceTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("[::1]:0", "[::1]:0"), ("example.com:65535", "example.com:65535"), ("unix:/run/x", "unix:/run/x"),
        ("unix:/run/a,b", "unix:/run/a,b"), ("unix:/run/a,b,mode=0600", "unix:/run/a,b"),
    ])
    func placesAreRead(text: String, shown: String) throws { #expect(try ListenPlace(text).description == shown) }

    @Test func optionsAreRead() throws {
        guard case .local(let place) = try ListenPlace("unix:/run/x,owner=root,group=0,mode=0666") else {
            Issue.record("no socket")
            return
        }
        #expect(place.path == "/run/x" && place.folder == "/run" && place.mode == 0o666)
        guard case .local(let plain) = try ListenPlace("unix:/x") else {
            Issue.record("no socket")
            return
        }
        #expect(plain.mode == 0o660 && plain.folder == "/")
    }

    @Test(arguments: [
        "", "8080", ":8080", "h:", "h:65536", "h:-1", "::1:80", "unix:", "unix:x", "unix:/x/", "unix:/x,mode", "unix:/x,mode=", "unix:/x,mode=999", "unix:/x,mode=0400",
        "unix:/x,mode=01777", "unix:/x,mode=0600,mode=0600", "unix:/x,owner=", "unix:/x,owner=no-such-user-here", "unix:/x,group=no-such-group-here", "unix:@abstract",
        "unix:/" + String(repeating: "p", count: 107), "unix:/x,", "unix:/x,mode=0600,", "unix:/x,mod=0600", "unix:/x,b=c,mode=0600", "unix:/x,mode=0600,b",
    ])
    func whatIsNoPlaceIsRefused(text: String) { #expect(throws: ListenPlace.Flaw.self) { try ListenPlace(text) } }

    /// It was part of the path.
    @Test func anOptionThatIsNotKnownIsNamedWithThoseThatAre() {
        let flaw = #expect(throws: ListenPlace.Flaw.self) { try ListenPlace("unix:/p/y.sock,mod=0600") }
        #expect(flaw?.reason == "has mod= behind a comma, where may be mode=0660, owner=USER and group=GROUP")
    }

    private static func failure(_ place: String) -> LocalSocketFailure? {
        do throws(LocalSocketFailure) {
            try (try! ListenPlace(place)).tryOut()
            return nil
        } catch {
            return error
        }
    }

    /// A trial and a start come to the same.
    @Test func aPlaceIsTriedOutAsItIsListenedOnAndLeftAsItIs() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        #expect(Self.failure("unix:\(path)") == nil && access(path, F_OK) < 0)
        folder.write("file", "precious")
        guard case .noSocket? = Self.failure("unix:\(folder.path)/file") else { throw Missing() }
        guard case .system? = Self.failure("unix:\(folder.path)/none/s") else { throw Missing() }
        let listener = try ListenPlace("unix:\(path)").listen()
        #expect(Self.failure("unix:\(path)")?.isInUse == true)
        _ = Descriptor(owning: try #require(try listener.accept()))
        // As a killed server leaves it.
        let dead = folder.path + "/dead"
        #expect(system("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"\(dead)\")'") == 0)
        #expect(Self.failure("unix:\(dead)") == nil && access(dead, F_OK) == 0)
        let taken = try Listener(host: "127.0.0.1", port: 0)
        #expect(Self.failure("\(taken.address)")?.isInUse == true)
        #expect(Self.failure("127.0.0.1:0") == nil)
        // TEST-NET-1 (RFC 5737) is no machine's own.
        #expect(Self.failure("192.0.2.1:0")?.isInUse == false)
    }

    private struct Missing: Error {}

    @Test(arguments: [("2130706433:80", "127.0.0.1:80"), ("0x0:80", "0.0.0.0:80"), ("127.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("localhost:0", nil)])
    func anAddressIsWhatTheResolverTakesItFor(text: String, shown: String?) throws {
        let address = try ListenPlace(text).networkAddress()
        if let shown { #expect(address?.description == shown) } else { #expect(address?.isLoopback == true) }
        #expect(try ListenPlace("unix:/run/x").networkAddress() == nil)
    }

    @Test func aPeerOfALocalSocketIsItsUser() throws {
        let path = "/tmp/penstock-listen-\(getpid()).sock"
        let listener = try ListenPlace("unix:\(path)").listen()
        #expect(listener.address.description == "unix:\(path)" && listener.address.isLoopback && listener.address.isLocal)
        let client = Descriptor(owning: try Socket.connect(path: path))
        let accepted = Descriptor(owning: try #require(try listener.accept()))
        #expect(Socket.peer(of: accepted.number)?.description == "unix:\(getuid())")
        #expect(Socket.peer(of: accepted.number)?.host == "unix:\(getuid())")
        _ = consume client
        #expect(access(path, F_OK) == 0)
        try listener.removeFile()
        #expect(access(path, F_OK) < 0)
    }

    /// Every user who may read a folder may lock it, and keep it locked.
    @Test func aFolderThatAnotherKeepsLockedHindersNoStart() throws {
        let folder = TemporaryFolder()
        let lock = Descriptor(owning: open(folder.path, O_RDONLY | O_DIRECTORY))
        #expect(flock(lock.number, LOCK_SH) == 0)
        let path = folder.path + "/x.sock"
        let listener = try ListenPlace("unix:\(path),mode=0600").listen()
        var information = stat()
        #expect(lstat(path, &information) == 0 && information.st_mode & 0o7777 == 0o600)
        _ = Descriptor(owning: try Socket.connect(path: path))
        try listener.removeFile()
        _ = consume lock
    }
}
