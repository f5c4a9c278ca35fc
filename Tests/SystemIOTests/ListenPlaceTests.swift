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
