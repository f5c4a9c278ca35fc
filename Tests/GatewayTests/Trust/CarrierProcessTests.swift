import Gateway
import Glibc
import SystemIO
import Testing
import Threading
import WriterModel

/// Carriers that the real fork server forks, for an encoder that the test plays.
@Suite(.serialized) struct CarrierProcessTests {
    /// Beside the running test bundle.
    private static let program: String = {
        let path = ChildProcess.executablePath
        return path[..<path.utf8.lastIndex(of: UInt8(ascii: "/"))!] + "/penstock-encoder"
    }()

    /// Whether a carrier is there: what no encoder says is answered, with why it goes on with nothing.
    private func answers(_ own: SocketEnd) -> Bool {
        let nonsense: [UInt8] = [200, 0, 0, 0, 0]
        _ = nonsense.withUnsafeBytes { Socket.sendAll(own.number, $0, timeout: .seconds(20)) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        // Before that it says that it is there.
        var said = ""
        while !said.contains("can't be told what to do") {
            let moved = bytes.withUnsafeMutableBytes { Socket.receive(own.number, into: [$0], limit: $0.count, deadline: .after(.seconds(60))) }
            guard case .moved(let count) = moved else { return false }
            said += String(decoding: bytes[..<count], as: UTF8.self)
        }
        return true
    }

    /// Awaits its end.
    private func hasEnded(_ own: SocketEnd) -> Bool {
        var byte: UInt8 = 0
        while true {
            let moved = withUnsafeMutableBytes(of: &byte) { Socket.receive(own.number, into: [$0], limit: 1, deadline: .after(.seconds(60))) }
            // What it has said before is there still.
            guard case .moved = moved else { return moved == .ended }
        }
    }

    private func eventually(_ isSo: () -> Bool) -> Bool {
        let limit = Deadline.after(.seconds(60))
        while !isSo() {
            if limit.hasPassed { return false }
            SystemThread.sleep(.milliseconds(5))
        }
        return true
    }

    /// Of this test's fork servers, the processes of this name.
    private func processes(named name: String) -> [Int32] {
        Directory.names(in: "/proc").compactMap { Int32($0) }.filter { ChildProcess.name(of: $0) == name }
    }

    private func status(_ process: Int32, _ field: String) -> String? {
        let text = (try? File.read("/proc/\(process)/status")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix(field + ":") }.map { $0.dropFirst(field.count + 1).trimmingPrefix("\t") }.map(String.init)
    }

    /// It was opened with O_PATH.
    private func namesAPlace(_ descriptor: Int32, of process: Int32) -> Bool {
        let text = (try? File.read("/proc/\(process)/fdinfo/\(descriptor)")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let flags = text.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(separator: "\t").last
        return flags.flatMap { Int($0, radix: 8) }.map { $0 & 0o10_000_000 != 0 } ?? false
    }

    @Test func aCarrierServesItsEncoderUntilThatEnds() throws {
        let scene = try GatewayScene(carriersFrom: Self.program)
        defer { scene.stopForkServer() }
        let encoder = try scene.start("carried-1")
        let own = try scene.askForCarrier(as: encoder)
        #expect(eventually { !processes(named: "car carried-1").isEmpty })
        let process = try #require(processes(named: "car carried-1").first)
        #expect(eventually { scene.encoders.carriers.countAtWork == 1 })
        // Confined (with a filter beyond the one of all forks), and with nothing of the fork server's.
        #expect(eventually { status(process, "Seccomp_filters") == "2" })
        #expect(status(process, "NoNewPrivs") == "1" && status(process, "Seccomp") == "2")
        // Those that name the system's places carry no right, and go when it is narrowed to what it is to write.
        #expect(Directory.names(in: "/proc/\(process)/fd").compactMap { Int32($0) }.count { !namesAPlace($0, of: process) } == 5)
        own.close()
        #expect(eventually { scene.encoders.carriers.countAtWork == 0 })
        #expect(eventually { kill(process, 0) != 0 })
        #expect(!scene.log.all.contains { $0.contains("a carrier") }, "\(scene.log.all)")
    }

    @Test func carriersAreMadeOfSparesAndOfForks() throws {
        let scene = try GatewayScene(carriersFrom: Self.program)
        defer { scene.stopForkServer() }
        let encoder = try scene.start("carried-2")
        // More than there are spares.
        let owns = try (0..<8).map { _ in try scene.askForCarrier(as: encoder) }
        #expect(eventually { processes(named: "car carried-2").count == 8 })
        #expect(eventually { scene.encoders.carriers.countAtWork == 8 })
        for own in owns { #expect(answers(own)) }
        #expect(eventually { scene.encoders.carriers.countAtWork == 0 })
    }

    @Test func anEncoderSeesTheEndOfItsCarrierAndTheGatewayLogsIt() throws {
        let scene = try GatewayScene(carriersFrom: Self.program)
        defer { scene.stopForkServer() }
        let encoder = try scene.start("carried-3")
        let own = try scene.askForCarrier(as: encoder)
        #expect(eventually { !processes(named: "car carried-3").isEmpty && scene.encoders.carriers.countAtWork == 1 })
        kill(try #require(processes(named: "car carried-3").first), SIGKILL)
        #expect(hasEnded(own))
        #expect(eventually { scene.log.all.contains { $0.contains("a carrier has crashed") && $0.contains("SIGKILL") } }, "\(scene.log.all)")
        // Another one takes its place.
        let next = try scene.askForCarrier(as: encoder)
        #expect(answers(next))
    }

    @Test func carriersOutliveTheGatewayAndTheForkServer() throws {
        let own: SocketEnd
        do {
            let scene = try GatewayScene(carriersFrom: Self.program)
            let encoder = try scene.start("carried-4")
            own = try scene.askForCarrier(as: encoder)
            #expect(eventually { !processes(named: "car carried-4").isEmpty })
            scene.stopForkServer()
        }
        let process = try #require(processes(named: "car carried-4").first)
        #expect(answers(own))
        #expect(eventually { kill(process, 0) != 0 || status(process, "State")?.hasPrefix("Z") == true })
    }

    @Test func aCarrierOfAServerWithoutAForkServerEndsAtOnce() throws {
        let scene = try GatewayScene(carriersFrom: "/bin/true")
        let encoder = try scene.start("carried-5")
        // Before its end is seen, and after.
        for _ in 0..<2 {
            let own = try scene.askForCarrier(as: encoder)
            #expect(hasEnded(own))
        }
        #expect(!encoder.link.isOver && scene.encoders.carriers.countAtWork == 0)
        scene.stopForkServer()
    }
}
