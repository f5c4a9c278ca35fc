import Testing
import WriterAPI
import WriterModel

/// Every order of what can happen to an encoder's process, up to six events, with all that its own threads then do.
@Suite struct EncoderShutdownTests {
    private static let stall = Problem(.encoderStalled, "stuck")
    private static let outputFailure = Problem(.destinationFailed, "gone")

    enum Event: CaseIterable {
        case toldToEnd, gatewayGone, quietSecond, idleSecond, lastSecond, failedSecond, stalledSecond
        case concluded, deletedWhileStuck, endingDone, answered
    }

    /// What surrounds a shutdown: the work, and what the threads that it started are at.
    struct World {
        var shutdown: EncoderShutdown
        var work = EncoderShutdown.Work()
        /// Endings under way, in the order they began.
        var endings: [EndReason] = []
        var isAnswering = false
        var isGatewayGone = false
        var age = Duration.seconds(1)
        var actions: [EncoderShutdown.Action] = []

        init(maxRunTime: Double = 100, callTimeout: Double = 5, role: EncoderStart.Role = .writer) {
            var limits = ServiceLimits()
            (limits.maxRunTime, limits.callTimeout) = (maxRunTime, callTimeout)
            shutdown = EncoderShutdown(role, limits)
        }

        /// False: it can't happen now.
        mutating func happen(_ event: Event) -> Bool {
            switch event {
            case .toldToEnd:
                if isGatewayGone { return false }
                note(shutdown.toldToEnd())
            case .gatewayGone:
                if isGatewayGone { return false }
                isGatewayGone = true
                note(shutdown.gatewayIsGone(work))
            case .quietSecond: passSecond(work)
            case .idleSecond: passSecond(.init(isConcluded: work.isConcluded, isAbandoned: work.isAbandoned, isIdleTooLong: true))
            case .lastSecond:
                age = .seconds(200)
                passSecond(work)
            // The ending that comes of it is `concluded`.
            case .failedSecond: passSecond(.init(isConcluded: work.isConcluded, isAbandoned: work.isAbandoned, failure: outputFailure))
            case .stalledSecond: passSecond(.init(isConcluded: work.isConcluded, isAbandoned: work.isAbandoned, stall: stall))
            case .concluded:
                if work.isConcluded { return false }
                work.isConcluded = true
            case .deletedWhileStuck:
                if work.isConcluded { return false }
                (work.isConcluded, work.isAbandoned) = (true, true)
            case .endingDone:
                if endings.isEmpty { return false }
                work.isConcluded = true
                note(shutdown.workHasEnded(because: endings.removeFirst()))
            case .answered:
                if !isAnswering { return false }
                isAnswering = false
                if !work.isConcluded { (work.isConcluded, work.isAbandoned) = (true, true) }
                note(shutdown.failureIsAnswered())
            }
            return true
        }

        private mutating func passSecond(_ work: EncoderShutdown.Work) {
            age += .seconds(1)
            for action in shutdown.secondHasPassed(age: age, work) { note(action) }
        }

        private mutating func note(_ action: EncoderShutdown.Action?) {
            guard let action else { return }
            actions.append(action)
            switch action {
            case .endAfterUploads(let reason), .endNow(let reason): endings.append(reason)
            case .failWithoutWaiting: isAnswering = true
            case .fail, .interruptUploads, .leave, .leaveStuckThreads: break
            }
        }

        func count(_ wanted: (EncoderShutdown.Action) -> Bool) -> Int { actions.reduce(0) { $0 + (wanted($1) ? 1 : 0) } }
        var departures: Int { count { $0 == .leave || $0 == .leaveStuckThreads } }
        var endsOfItsOwn: Int { count { if case .endNow = $0 { true } else { false } } }
        var failures: Int { count { if case .failWithoutWaiting = $0 { true } else { false } } }
        var quietFailures: Int { count { if case .fail = $0 { true } else { false } } }
        var endsByOrder: Int { count { $0 == .endAfterUploads(.shutdown) } }
    }

    private static func forEveryOrder(of length: Int, from world: World = World(), _ check: (World, World, Event) -> Void) {
        guard length > 0 else { return }
        for event in Event.allCases {
            var next = world
            guard next.happen(event) else { continue }
            check(world, next, event)
            forEveryOrder(of: length - 1, from: next, check)
        }
    }

    @Test func aProcessLeavesOnceAndOnlyWhenTheGatewayIsGone() {
        var (orders, broken) = (0, 0)
        Self.forEveryOrder(of: 6) { _, world, _ in
            orders += 1
            if world.departures > (world.isGatewayGone ? 1 : 0) { broken += 1 }
        }
        #expect(broken == 0 && orders > 100_000, "\(broken) of \(orders)")
    }

    @Test func onceTheGatewayIsGoneTheProcessLeavesWhateverWasUnderWay() {
        var broken = 0
        Self.forEveryOrder(of: 5) { _, world, _ in
            guard world.isGatewayGone else { return }
            var rest = world
            while rest.happen(.endingDone) || rest.happen(.answered) {}
            if rest.departures != 1 { broken += 1 }
            // And where the ending never comes back, a stall is found.
            var stuck = world
            if stuck.departures == 0 && !stuck.work.isConcluded {
                _ = stuck.happen(.stalledSecond)
                _ = stuck.happen(.answered)
                if stuck.actions.last != .leaveStuckThreads { broken += 1 }
            }
        }
        #expect(broken == 0)
    }

    @Test func eachEndIsBegunOnce() {
        var broken = 0
        Self.forEveryOrder(of: 6) { before, world, event in
            let isNew = world.actions.count > before.actions.count
            if world.endsOfItsOwn > 1 || world.failures > 1 || world.quietFailures > 1 || world.endsByOrder > 1 { broken += 1 }
            // Nothing is ended or failed that has ended.
            if before.work.isConcluded, world.failures > before.failures || world.quietFailures > before.quietFailures || world.endsOfItsOwn > before.endsOfItsOwn { broken += 1 }
            // An order is always heard.
            if event == .toldToEnd && !isNew { broken += 1 }
        }
        #expect(broken == 0)
    }

    struct Order: CustomTestStringConvertible {
        let testDescription: String
        let events: [Event]
        let actions: [EncoderShutdown.Action]

        init(_ name: String, _ events: [Event], _ actions: [EncoderShutdown.Action]) {
            (testDescription, self.events, self.actions) = (name, events, actions)
        }
    }

    private static let overtime = Problem(
        .limitExceeded, "The writer's time was over (--max-run-time) and it could not be finalized within 5 seconds.")

    @Test(arguments: [
        Order("nothing happens", [.quietSecond, .quietSecond], []),
        Order("the writer ends and the gateway knows", [.concluded, .gatewayGone], [.leave]),
        Order("SIGTERM", [.toldToEnd, .endingDone, .gatewayGone], [.endAfterUploads(.shutdown), .leave]),
        Order("SIGTERM twice", [.toldToEnd, .toldToEnd, .toldToEnd], [.endAfterUploads(.shutdown), .interruptUploads, .interruptUploads]),
        Order("the gateway is killed", [.gatewayGone, .endingDone], [.endAfterUploads(.gatewayLost), .leave]),
        Order(
            "SIGTERM, then the gateway is killed", [.toldToEnd, .gatewayGone, .endingDone, .endingDone],
            [.endAfterUploads(.shutdown), .endAfterUploads(.gatewayLost), .leave]),
        Order("no request for too long", [.idleSecond, .idleSecond, .endingDone, .gatewayGone], [.endNow(.idleTimeout), .leave]),
        Order("its time is over", [.lastSecond, .endingDone, .gatewayGone], [.endNow(.runTime), .leave]),
        Order(
            "its time is over and it does not end", [.lastSecond] + Array(repeating: .quietSecond, count: 8) + [.answered, .gatewayGone],
            [.endNow(.runTime), .failWithoutWaiting(overtime), .leaveStuckThreads]),
        Order("an output fails while nothing is asked", [.failedSecond, .failedSecond, .concluded, .failedSecond, .gatewayGone], [.fail(outputFailure), .leave]),
        Order("and its ending hangs", [.failedSecond, .stalledSecond, .answered, .gatewayGone], [.fail(outputFailure), .failWithoutWaiting(stall), .leaveStuckThreads]),
        Order("a call hangs", [.stalledSecond, .stalledSecond, .answered, .gatewayGone], [.failWithoutWaiting(stall), .leaveStuckThreads]),
        Order("a call hangs, and the gateway knows before all is answered", [.stalledSecond, .gatewayGone, .answered],
            [.failWithoutWaiting(stall), .endAfterUploads(.gatewayLost), .leaveStuckThreads]),
        Order("a stuck writer is deleted", [.deletedWhileStuck, .gatewayGone], [.leaveStuckThreads]),
        Order(
            "the gateway is killed while a call hangs", [.gatewayGone, .stalledSecond, .answered, .endingDone],
            [.endAfterUploads(.gatewayLost), .failWithoutWaiting(stall), .leaveStuckThreads]),
        Order("after the end nothing is late", [.concluded, .idleSecond, .lastSecond, .stalledSecond], []),
    ])
    func anOrderOfEventsComesOutAsTheContractSays(order: Order) {
        var world = World()
        let happened = order.events.map { world.happen($0) }
        #expect(!happened.contains(false))
        #expect(world.actions == order.actions)
    }

    @Test func whatHasNoTimeLimitIsNotOverdue() {
        for world in [World(maxRunTime: 0), World(role: .catalog)] {
            var world = world
            _ = world.happen(.lastSecond)
            #expect(world.actions.isEmpty)
        }
        var patient = World(callTimeout: 0)
        for event in [Event.lastSecond] + Array(repeating: .quietSecond, count: 20) { _ = patient.happen(event) }
        #expect(patient.actions == [.endNow(.runTime)])
    }
}
