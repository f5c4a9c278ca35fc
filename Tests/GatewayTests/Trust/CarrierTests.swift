import APICore
import Gateway
import Glibc
import SystemIO
import Testing
import WriterModel

/// Encoders, played by the test, that ask for carriers.
@Suite struct CarrierTests {
    private func sleeper() throws -> Int32 { try ChildProcess.spawn("/bin/sleep", arguments: ["600"], passing: 0, as: 0) }

    private func end(of process: Int32) -> ProcessEnd? {
        var status: Int32 = 0
        return waitpid(process, &status, 0) == process ? ProcessEnd(waitStatus: status) : nil
    }

    private func gauge(_ scene: GatewayScene) -> Int { scene.encoders.carriers.countAtWork }

    @Test func aCarrierIsToldWhatItsEncoderWasAndGetsItsSocket() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let own = try scene.askForCarrier(as: encoder)
        let carrier = try scene.takeCarrier()
        #expect(carrier.subject.writer == encoder.writer)
        var expected = encoder.settings
        expected.role = .carrier
        #expect(carrier.settings == expected)
        #expect(write(own.number, "packets", 7) == 7)
        var bytes = [UInt8](repeating: 0, count: 7)
        #expect(read(carrier.packets.number, &bytes, 7) == 7 && bytes == Array("packets".utf8))
        #expect(carrier.isWanted())
        #expect(gauge(scene) == 0)
        scene.report(.forked(carrier.subject, process: 2_000_000_000))
        #expect(gauge(scene) == 1)
        #expect(try scene.ask("GET", "/metrics").text.contains("\npenstock_carriers 1\n"))
        // Of an encoder none has been heard.
        #expect(encoder.link.process == nil)
    }

    /// Whose process is whose is told by no id of a writer's.
    @Test func carriersAreToldFromThoseOfAnEarlierWriterOfTheSameID() throws {
        let scene = try GatewayScene()
        let first = try scene.start("w")
        let firstOwn = try scene.askForCarrier(as: first)
        var old: GatewayScene.Carrier? = try scene.takeCarrier()
        let (subject, isWanted) = try (#require(old).subject, #require(old).isWanted)
        scene.end(first, process: 2_000_000_000)
        #expect(!isWanted())
        let second = try scene.start("w")
        let secondOwn = try scene.askForCarrier(as: second)
        let new = try scene.takeCarrier()
        #expect(subject != new.subject && new.isWanted())
        old = nil
        scene.report(.unwanted(subject))
        #expect(firstOwn.hasEnded && secondOwn.isHeld)
        scene.report(.forked(subject, process: 2_000_000_001))
        #expect(gauge(scene) == 0)
    }

    private enum Passed: CaseIterable { case pair, messagePair, null, folder, client }

    /// Nothing but the end of a pair goes to a carrier, and with no other message a descriptor.
    @Test(arguments: Passed.allCases) private func anotherDescriptorIsImproper(passed: Passed) throws {
        let scene = try GatewayScene()
        let (one, other) = try (passed == .messagePair ? DescriptorPair.messageSockets() : .streamSockets()).split()
        let (own, theirs) = (SocketEnd(owning: one), SocketEnd(owning: other))
        let opened = switch passed {
        case .pair, .messagePair: SocketEnd(owning: dup(theirs.number))
        case .null: SocketEnd(owning: open("/dev/null", O_RDWR | O_CLOEXEC))
        case .folder: SocketEnd(owning: open("/", O_RDONLY | O_CLOEXEC))
        case .client: SocketEnd(owning: try Socket.connect(host: "127.0.0.1", port: scene.port))
        }
        theirs.close()
        let liar = try scene.start("liar")
        // Of a pair's end it is the message that is not right.
        scene.say(passed == .pair ? .ping : .carrier(number: 1), as: liar, passing: opened.number)
        opened.close()
        #expect(liar.link.isOver && scene.log.all.count { $0.contains("may not") } == 1, "\(scene.log.all)")
        if passed == .pair { #expect(own.hasEnded) }
        #expect(throws: GatewayScene.Missing.self) { _ = try scene.takeCarrier() }
    }

    @Test func anEncodingHasNoCarriers() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w", as: .encode)
        let own = try scene.askForCarrier(as: encoder)
        #expect(encoder.link.isOver && own.hasEnded)
        #expect(scene.log.all.contains { $0.contains("may not") })
    }

    @Test func carriersBeyondTheLimitAreNotStarted() throws {
        let scene = try GatewayScene()
        let (encoder, other) = (try scene.start("w"), try scene.start("other"))
        let limit = encoder.settings.limits.maxOutputs
        var ends = try (1...limit).map { _ in try scene.askForCarrier(as: encoder) }
        var carriers = try ends.map { _ in try scene.takeCarrier() }
        #expect(try scene.askForCarrier(99, as: encoder).hasEnded)
        #expect(!encoder.link.isOver && ends.allSatisfy(\.isHeld))
        #expect(scene.log.all.contains { $0.contains("as many as it may") && $0.contains("99") && $0.contains("\(limit)") }, "\(scene.log.all)")
        let others = try scene.askForCarrier(as: other)
        #expect(others.isHeld)
        _ = try scene.takeCarrier()
        // A carrier that ends makes room at once: that its process has ended may be told later.
        scene.report(.forked(carriers[3].subject, process: 2_000_000_000))
        #expect(gauge(scene) == 1)
        carriers.remove(at: 3)
        #expect(ends[3].hasEnded)
        ends[3] = try scene.askForCarrier(100, as: encoder)
        #expect(ends[3].isHeld && gauge(scene) == 0)
        #expect(try scene.askForCarrier(101, as: encoder).hasEnded)
    }

    /// Far beyond what an encoder asks for that keeps to its allowance, however late its messages are read.
    @Test func anEncoderThatAsksWithoutEndIsKilled() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let process = try sleeper()
        let carriers = try sleeper()
        scene.report(.forked(.encoder(encoder.writer), process: process))
        let own = try scene.askForCarrier(as: encoder)
        scene.report(.forked(try scene.takeCarrier().subject, process: carriers))
        var asked = 1
        while !encoder.link.isOver && asked < 20_000 {
            _ = try scene.askForCarrier(as: encoder)
            asked += 1
        }
        let inOneGo = 4 * encoder.settings.limits.maxOutputs + 64
        #expect(asked > 10 * inOneGo && asked < 20_000)
        #expect(end(of: process) == .signaled(number: SIGKILL))
        #expect(end(of: carriers) == .signaled(number: SIGKILL))
        own.close()
    }

    @Test func anAllowanceComesBackWithTime() {
        let start = ContinuousClock.now
        var allowance = CarrierAllowance(mostOutputs: 4, now: start)
        func take(_ seconds: Int) -> Int { (0..<1_000).prefix { _ in allowance.take(at: start + .seconds(seconds)) }.count }
        #expect(take(0) == 80)
        #expect(take(0) == 0)
        #expect(take(3) == 6)
        #expect(take(1_000_000) == 80)
        // A clock that is looked at by two threads.
        #expect(take(999_999) == 0)
    }

    /// A client that adds outputs leaves those that break what they are opened again by.
    @Test func whatIsAddedLeavesSomeForWhatIsOpenedAgain() {
        let start = ContinuousClock.now
        var (allowance, wider) = (CarrierAllowance(mostOutputs: 4, now: start), CarrierAllowance(mostOutputs: 4, width: 2, now: start))
        #expect((0..<1_000).prefix { _ in allowance.takeBesideReopening(at: start) }.count == 76)
        #expect((0..<1_000).prefix { _ in allowance.take(at: start) }.count == 4)
        #expect(!allowance.takeBesideReopening(at: start + .seconds(2)) && allowance.takeBesideReopening(at: start + .seconds(3)))
        #expect((0..<1_000).prefix { _ in wider.take(at: start) }.count == 160)
    }

    private enum End: CaseIterable { case socket, deleted }

    @Test(arguments: End.allCases) private func carriersThatOutliveTheirEncoderAreKilled(how: End) throws {
        let scene = try GatewayScene()
        let (encoder, other) = (try scene.start("w"), try scene.start("other"))
        let owns = (try scene.askForCarrier(as: encoder), try scene.askForCarrier(as: other))
        let (process, others) = (try sleeper(), try sleeper())
        let carrier = try scene.takeCarrier()
        scene.report(.forked(carrier.subject, process: process))
        scene.report(.forked(try scene.takeCarrier().subject, process: others))
        let before = ContinuousClock.now
        if how == .deleted {
            scene.say(.discarded, as: encoder)
        } else {
            scene.end(encoder, process: 2_000_000_000)
        }
        // It has its time.
        scene.encoders.carriers.endOverdue(at: before + .seconds(1))
        #expect(kill(process, 0) == 0 && !scene.log.all.contains { $0.contains("is killed") })
        scene.encoders.carriers.endOverdue(at: .now + .seconds(2))
        #expect(end(of: process) == .signaled(number: SIGKILL))
        #expect(scene.log.all.count { $0.contains("has not ended in time and is killed") } == 1, "\(scene.log.all)")
        scene.report(.ended(process: process, .signaled(number: SIGKILL)))
        // Said once, and no encoder's.
        #expect(!scene.log.all.contains { $0.contains("a carrier has crashed") })
        let exits = try scene.ask("GET", "/metrics").text.split(separator: "\r\n\r\n").last?.split(separator: "\n")
            .filter { $0.hasPrefix("penstock_encoder_exits_total{") }
        #expect(exits == (how == .socket ? ["penstock_encoder_exits_total{reason=\"SIGKILL\"} 1"] : []))
        #expect(gauge(scene) == 1 && kill(others, 0) == 0)
        kill(others, SIGKILL)
        _ = end(of: others)
        owns.0.close()
        owns.1.close()
    }

    /// Its fork was under way when its encoder ended.
    @Test func aCarrierThatIsForkedTooLateIsKilled() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let own = try scene.askForCarrier(as: encoder)
        let carrier = try scene.takeCarrier()
        #expect(carrier.isWanted())
        scene.say(.shutDown, as: encoder)
        #expect(!carrier.isWanted())
        let process = try sleeper()
        scene.report(.forked(carrier.subject, process: process))
        #expect(end(of: process) == .signaled(number: SIGKILL))
        own.close()
    }

    /// As the fork server's end does to those that it was asked for.
    @Test func theSocketOfACarrierThatIsNotForkedEnds() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let own = try scene.askForCarrier(as: encoder)
        var carrier: GatewayScene.Carrier? = try scene.takeCarrier()
        let subject = try #require(carrier).subject
        #expect(own.isHeld)
        // The fork server's own copy.
        carrier = nil
        scene.report(.forkFailed(subject, reason: "the fork server ended"))
        #expect(own.hasEnded && !encoder.link.isOver)
        #expect(scene.log.all.contains { $0.contains("a carrier can't be forked") }, "\(scene.log.all)")
        // Its writer goes on.
        #expect(try scene.askForCarrier(as: encoder).isHeld)
    }

    private static let ends: [(ProcessEnd, String?)] = [
        (.signaled(number: SIGSEGV), "was ended by SIGSEGV"), (.signaled(number: SIGKILL), "was ended by SIGKILL"),
        (.exited(code: 1), "exited with code 1"), (.exited(code: 0), nil),
    ]

    @Test(arguments: ends)
    func howACarrierCrashedIsLogged(how: ProcessEnd, text: String?) throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let own = try scene.askForCarrier(12, as: encoder)
        scene.report(.forked(try scene.takeCarrier().subject, process: 2_000_000_000))
        scene.report(.ended(process: 2_000_000_000, how))
        let lines = scene.log.all.filter { $0.contains("a carrier") }
        #expect(lines.count == (text == nil ? 0 : 1), "\(lines)")
        if let text { #expect(lines[0].contains(text) && lines[0].contains("12") && lines[0].hasPrefix("error"), "\(lines)") }
        // The writer is its encoder's matter.
        #expect(gauge(scene) == 0 && own.hasEnded && !encoder.link.isOver)
    }

    /// It has been taken over, perhaps.
    @Test func nothingThatACarrierSaysIsHeard() throws {
        let scene = try GatewayScene()
        let encoder = try scene.start("w")
        let limit = encoder.settings.limits.maxOutputs
        let owns = try (1...limit).map { _ in try scene.askForCarrier(as: encoder) }
        let carriers = try owns.map { _ in try scene.takeCarrier() }
        var counts = MetricCounts()
        counts.framesTaken = 5
        let (one, other) = try DescriptorPair.streamSockets().split()
        let (mine, passed) = (SocketEnd(owning: one), SocketEnd(owning: other))
        let lies: [ControlMessage] = [.metrics(counts), .claim(.folder("")), .snapshot(GatewayScene.snapshot("w")), .discarded, .carrier(number: 1)]
        for lie in lies { #expect(carriers[0].socket.send(lie.encoded, passing: passed.number) == .sent) }
        passed.close()
        // Who wants another has all looked at.
        #expect(try scene.askForCarrier(as: encoder).hasEnded)
        #expect(carriers[0].socket.isTakenWhole && mine.hasEnded)
        #expect(scene.metrics.current.framesTaken == 0)
        #expect(encoder.link.snapshot == nil && encoder.link.claim == nil && scene.registry[encoder.writer] != nil)
        #expect(!scene.log.all.contains { $0.contains("may not") })
    }
}
