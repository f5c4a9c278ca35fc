import Foundation
import Testing

extension EndToEnd {
    /// A server that root starts and that goes on as somebody else.
    @Suite(
        .enabled(if: geteuid() == 0, "only root can become another user"),
        .enabled(if: Nobody.reachesPrograms, "the user nobody can't reach the folder of the programs"))
    struct UserTests {
        @Test func serverBindsAsRootAndGoesOnAsTheUser() async throws {
            let folder = try Nobody.folder()
            let port = try Nobody.freePrivilegedPort()
            let server = try await PenstockServer.start(["--user", "nobody", "--port", "\(port)"], in: folder)
            #expect(server.port == port)
            let id = try await server.createWriter([
                "dst": "made/by.wav",
                "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16"]], "open": true,
            ])
            let encoder = try #require(await server.writer(id)["encoder_pid"].int)
            for pid in [server.pid, try await server.forkServer(), pid_t(encoder)] {
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                let (user, group) = (Nobody.user, Nobody.group)
                #expect(status.contains("Uid:\t\(user)\t\(user)\t\(user)\t\(user)\n"), "\(status)")
                #expect(status.contains("Gid:\t\(group)\t\(group)\t\(group)\t\(group)\n"), "\(status)")
                #expect(status.contains("CapPrm:\t0000000000000000"), "\(status)")
                #expect(status.contains(/Groups:\t\d+ ?\n/), "\(status)")
            }
            #expect(!server.log.text.contains("running as root"))
            try await server.finalize(id)
            for path in ["output/made/by.wav", "state/writers/\(id)/record.json"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder / path)
                #expect(attributes[.ownerAccountID] as? Int == Nobody.user)
            }
            try await server.stop()
        }

        @Test func socketBelongsToTheUserWhereNoOwnerIsGiven() async throws {
            for (options, owner) in [("", Nobody.user), (",owner=root", 0)] {
                let folder = try Nobody.folder()
                let path = folder / "s"
                let server = try await PenstockServer.start(["--user", "nobody", "--listen", "unix:\(path)\(options)"], in: folder)
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.ownerAccountID] as? Int == owner)
                #expect(attributes[.groupOwnerAccountID] as? Int == Nobody.group)
                try await server.stop()
            }
        }

        /// The kernel shows nobody but root what a process runs that root has started.
        @Test func theServersUserDrainsAServerThatRootHasStarted() async throws {
            let server = try await PenstockServer.start(["--user", "nobody"], in: try Nobody.folder())
            func drain(as user: Int) async throws -> (text: String, errors: String, end: ProcessEnd) {
                let result = try await Tool.run("setpriv", [
                    "--reuid=\(user)", "--regid=\(user)", "--clear-groups", Repository.programs + "/penstock", "drain", "--pid", "\(server.pid)",
                    "--port", "\(server.port)", "--at-least", "0",
                ])
                return (result.text, result.errors, result.end)
            }
            let other = try await drain(as: 1)
            #expect(other.end == .exited(1) && other.errors.contains("may not signal process \(server.pid)"), "\(other.errors)")
            #expect(try await server.curl("GET", "/readyz").status == 200)
            let drained = try await drain(as: Nobody.user)
            #expect(drained.end == .exited(0) && drained.text.contains("live writers: 0"), "\(drained.errors)")
            try await server.stop()
        }

        @Test func rootWithoutAUserIsWarned() async throws {
            try await withServer { server in
                #expect(server.log.text.contains(/WARNING running as root.*--user/))
            }
        }

        @Test(arguments: ["no-such-user", "nobody:no-such-group", "", ":nogroup", "99999999999"])
        func unknownUserIsRefused(user: String) async throws {
            let result = try await Tool.run(Repository.programs + "/penstock", ["serve", "--port", "0", "--user", user])
            #expect(result.end == .exited(64), "\(result.errors)")
            #expect(result.errors.contains(/--user .*: This system has no (user|group)/), "\(result.errors)")
        }

        @Test func whoIsNotRootBecomesNobodyElse() async throws {
            let folder = try Nobody.folder()
            let places = ["--port", "0", "--output-dir", folder / "o", "--state-dir", folder / "s"]
            let identity = ["--reuid", "\(Nobody.user)", "--regid", "\(Nobody.group)", "--clear-groups"]
            let refused = try await Tool.run(
                "setpriv", identity + [Repository.programs + "/penstock", "serve", "--user", "daemon"] + places)
            #expect(refused.end == .exited(1), "\(refused.errors)")
            #expect(refused.errors.contains(/--user: only root can become daemon/), "\(refused.errors)")
            // It is whom it should become already.
            let server = try await PenstockServer.start(["--user", "nobody"], in: folder, under: ["setpriv"] + identity)
            try await server.expectWell()
            try await server.stop()
        }

        @Test(arguments: ["state", "output"])
        func folderOfAnotherUserIsNamed(name: String) async throws {
            let folder = try Nobody.folder()
            try FileManager.default.createDirectory(atPath: folder / name, withIntermediateDirectories: false)
            let result = try await Tool.run(
                Repository.programs + "/penstock",
                [
                    "serve", "--port", "0", "--user", "nobody", "--output-dir", folder / "output", "--state-dir",
                    folder / "state",
                ])
            #expect(result.end == .exited(1))
            #expect(result.errors.contains("\(folder / name) can't be written by nobody"), "\(result.errors)")
            #expect(result.errors.contains("chown"))
        }
    }
}

/// The system's user without rights.
private enum Nobody {
    static let user = Int(getpwnam("nobody")?.pointee.pw_uid ?? 0)
    static let group = Int(getpwnam("nobody")?.pointee.pw_gid ?? 0)

    /// A folder of nobody's.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        guard chown(folder.path, uid_t(user), gid_t(group)) == 0 else { throw HarnessError("chown \(folder.path)") }
        return folder
    }

    static var reachesPrograms: Bool {
        var path = URL(fileURLWithPath: Repository.programs)
        while path.path != "/" {
            let mode = try? FileManager.default.attributesOfItem(atPath: path.path)[.posixPermissions] as? Int
            if (mode ?? 0) & 1 == 0 { return false }
            path.deleteLastPathComponent()
        }
        return true
    }

    static func freePrivilegedPort() throws -> Int {
        for port in (600..<1_024).reversed() {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
        throw HarnessError("no free port below 1024")
    }
}
