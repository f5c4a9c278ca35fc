import HTTPServer
import Gateway
import Glibc
import SystemIO
import Testing
import Threading
import WriterModel

/// Made-up, cut, mutated and damaged messages from encoders against the gateway's own parts.
@Suite(.serialized) struct EncoderFuzzTests {
    private static let count = 120_000
    private static let token = "tok3n-of-another"

    @Test(arguments: [1, 0x9E37_79B9_7F4A_7C15] as [UInt64])
    func messagesThatNoEncoderSendsHurtNobody(seed: UInt64) throws {
        // Making and removing files is most of what this does.
        let scene = try GatewayScene(in: TemporaryFolder(inMemory: true))
        let honest = try scene.start("honest")
        scene.say(.claim(.file("others/victim.wav")), as: honest)
        scene.say(.snapshot(GatewayScene.snapshot("honest")), as: honest)
        let outputs = try Directory(path: scene.folder.path + "/output")
        try outputs.makeParents(of: "others/victim.wav")
        scene.folder.write("output/others/victim.wav", "victim")
        scene.folder.write("outside", "victim")
        var messages = MessageMutator(seed: seed)
        let descriptors = try Descriptors(port: scene.port)
        // Once around, so that what stays of it is there before.
        try run(scene, &messages, descriptors, 2_000, from: 0)
        let (openBefore, memoryBefore) = (Self.openDescriptors, Self.memory)
        try run(scene, &messages, descriptors, Self.count / 2, from: 1_000_000)
        // Other tests of this process have some too. One that is lost with each encoder would be thousands.
        let openAfter = Self.settled(Self.openDescriptors, atMost: openBefore + 1_000)
        #expect(openAfter <= openBefore + 1_000, "\(openBefore) then \(openAfter)")
        // Other tests of this process have pictures meanwhile.
        let growth = Self.settled(Self.memory - memoryBefore, atMost: 768 << 20)
        #expect(growth <= 768 << 20, "grew by \(growth) bytes")
        // The others go on.
        #expect(scene.folder.text("output/others/victim.wav") == "victim" && scene.folder.text("outside") == "victim")
        #expect(honest.link.snapshot == GatewayScene.snapshot("honest"))
        #expect(try scene.ask("GET", "/livez").status == 200)
        #expect(try scene.ask("GET", "/metrics").status == 200)
        #expect(try scene.ask("GET", "/v1/writers").text.contains("\"honest\""))
        var record = GatewayScene.snapshot("honest", .closed)
        record.outputFiles = ["others/victim.wav"]
        try scene.records.save(record, of: honest.writer)
        try scene.note(["others/victim.wav"], as: honest)
        scene.say(.concluded(.closed), as: honest)
        #expect(try scene.ask("GET", "/v1/writers/honest/output").text.hasSuffix("victim"))
    }

    private func run(
        _ scene: GatewayScene, _ messages: inout MessageMutator, _ descriptors: Descriptors, _ count: Int, from first: Int
    ) throws {
        var said = 0
        var writers = 0
        while said < count {
            writers += 1
            let id = "f\(first + writers)"
            let liar = try scene.start(id)
            if messages.random.below(2) == 0 {
                let given = LentConnection(owning: dup(descriptors.client))
                #expect(liar.link.pass(given, isForHead: false, unread: []) == .sent)
            }
            // Of one that is heard no more, no message counts.
            for _ in 0..<(4 + messages.random.below(24)) where !liar.link.isOver {
                let descriptor = messages.random.below(12) == 0 ? messages.random.element(of: descriptors.all) : nil
                let message = messages.next(id)
                guard liar.socket.send(message, passing: descriptor, timeout: .zero) != .tooLong else { continue }
                said += 1
                scene.hear(liar)
            }
            let record = messages.record(id)
            let hasFolder = access("\(scene.folder.path)/state/writers/\(id)", F_OK) == 0
            if hasFolder, messages.random.below(3) == 0 { scene.folder.write("state/writers/\(id)/record.json", record) }
            scene.end(liar, process: 2_000_000_000 + Int32(writers))
            try lookAt(id, scene, everything: writers % 32 == 0)
        }
    }

    /// What clients ask of a writer whose encoder lied.
    private func lookAt(_ id: String, _ scene: GatewayScene, everything: Bool) throws {
        guard everything else {
            // As DELETE does, without a connection for each.
            let writer = WriterID(id)!
            if scene.registry[writer] != nil { try scene.records.remove(writer, scene.records.record(of: writer)) }
            return scene.registry.remove(writer)
        }
        for path in ["", "/output", "/streams/0/chunks"] {
            let answer = try scene.ask(path.hasSuffix("chunks") ? "HEAD" : "GET", "/v1/writers/\(id)\(path)")
            // 500: what it left as its record is none.
            #expect([200, 204, 404, 409, 410, 500, 503].contains(answer.status), "\(answer.text)")
            if answer.status == 500, !path.hasSuffix("chunks") { #expect(answer.text.contains("is damaged"), "\(answer.text)") }
            #expect(!answer.text.contains("victim"), "\(answer.text)")
        }
        #expect(try scene.ask("GET", "/v1/writers?limit=1000").status == 200)
        let deleted = try scene.ask("DELETE", "/v1/writers/\(id)")
        #expect([200, 404].contains(deleted.status), "\(deleted.text)")
        // One that claimed the folder leaves what another has claimed in it.
        #expect(!deleted.text.contains(/"removed":\[[^\]]*victim/), "\(deleted.text)")
    }

    /// The same with what a fork server says.
    @Test func wordsThatNoForkServerSaysHurtNobody() throws {
        let scene = try GatewayScene()
        var random = Xorshift(seed: 7)
        let seeds: [ForkMessage] = [
            .fork(.encoder(WriterID("w0")!)), .forked(.encoder(WriterID("w0")!), process: 2_000_000_000), .ended(process: 2_000_000_000, waitStatus: 139),
            .forkFailed(.encoder(WriterID("w0")!), reason: "no memory"), .forked(.encoder(.catalog), process: 2_000_000_001),
            .forked(.carrier(WriterID("w0")!, serial: 1), process: 2_000_000_002), .forkFailed(.carrier(WriterID("w0")!, serial: 1), reason: "no memory"),
        ]
        let encoder = try scene.start("w0")
        for _ in 0..<100_000 {
            var bytes = random.element(of: seeds).encoded
            for _ in 0..<random.below(4) { random.damage(&bytes) }
            // Of processes that there are this one would end.
            guard let message = ForkMessage(bytes) else { continue }
            switch message {
            case .forked(let subject, let process) where process >= 2_000_000_000: scene.report(.forked(subject, process: process))
            case .forkFailed(let subject, let reason):
                #expect(reason.count <= 256)
                scene.report(.forkFailed(subject, reason: reason))
            case .ended(let process, let status): scene.report(.ended(process: process, ProcessEnd(waitStatus: status)))
            default: break
            }
        }
        scene.say(.claim(.nothing), as: encoder)
        #expect(try scene.ask("GET", "/metrics").status == 200)
        let exits = try scene.ask("GET", "/metrics").text.split(separator: "\n").count { $0.hasPrefix("penstock_encoder_exits_total{") }
        #expect(exits <= 400, "\(exits) kinds of ends")
    }

    /// What it is once it is no more than that, or after a minute: what others have of it they give back.
    private static func settled(_ value: @autoclosure () -> Int, atMost most: Int) -> Int {
        let limit = Deadline.after(.seconds(60))
        while true {
            let now = value()
            if now <= most || limit.hasPassed { return now }
            SystemThread.sleep(.milliseconds(50))
        }
    }

    private static var openDescriptors: Int { Directory.names(in: "/proc/self/fd").count }

    private static var memory: Int {
        let text = (try? File.read("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// What an encoder may pass that is no connection, and what is one.
    private final class Descriptors {
        let client: Int32
        let all: [Int32]

        init(port: UInt16) throws {
            client = try Socket.connect(host: "127.0.0.1", port: port)
            let (first, second) = try DescriptorPair.messageSockets().split()
            let (third, fourth) = try DescriptorPair.streamSockets().split()
            all = [client, first, second, third, fourth, Glibc.open("/dev/null", O_RDWR | O_CLOEXEC), Glibc.open("/", O_RDONLY | O_CLOEXEC)]
        }

        deinit { for descriptor in all { close(descriptor) } }
    }
}
