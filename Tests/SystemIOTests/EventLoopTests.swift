import SystemIO
import Testing
import Threading

@Suite struct EventLoopTests {
    private final class Held: Sendable {}

    @Test func aLoopThatEndedHoldsNobody() throws {
        let loop = try EventLoop()
        weak var weakly: Held?
        do {
            let held = Held()
            weakly = held
            let (first, second) = try DescriptorPair.messageSockets().split()
            let socket = MessageSocket(owning: first)
            _ = try loop.watch(socket.descriptor) { withExtendedLifetime((held, socket)) {} }
            loop.everySecond { withExtendedLifetime(held) {} }
            loop.post(at: .after(.seconds(60))) { withExtendedLifetime(held) {} }
            _ = Descriptor(owning: second)
        }
        #expect(weakly != nil)
        loop.stop()
        loop.run()
        #expect(weakly == nil)
    }

    @Test func jobsFromManyThreadsAllRunOnTheLoop() throws {
        let loop = try EventLoop()
        let count = Monitor(0)
        try SystemThread.start(name: "loop") { loop.run() }
        for _ in 0..<4 {
            try SystemThread.start(name: "poster") {
                for _ in 0..<5_000 { loop.post { count.change { $0 += 1 } } }
            }
        }
        #expect(count.wait(until: .after(.seconds(60))) { $0 == 20_000 ? true : nil } == true)
        loop.stop()
    }

    @Test func laterJobsRunByTheirTimesAndNotBefore() throws {
        let loop = try EventLoop()
        let order = Monitor<[Int]>([])
        let began = ContinuousClock.now
        // Made in their order: a stop between two of them lengthens what lies between.
        let moments = [10, 20, 30, 40].map { (time: $0, deadline: Deadline.after(.milliseconds($0))) }
        for (index, place) in [2, 0, 1, 0].enumerated() {
            let (time, deadline) = moments[place]
            loop.post(at: deadline) {
                let isInTime = ContinuousClock.now - began >= .milliseconds(time)
                order.change { $0.append(isInTime ? index : -1) }
            }
        }
        loop.post(at: moments[3].deadline) { loop.stop() }
        loop.run()
        #expect(order.withLock { $0 } == [1, 3, 2, 0])
    }

    @Test func onlyItsOwnThreadIsOnALoopThatRuns() throws {
        let loop = try EventLoop()
        #expect(loop.isOnLoop)
        let isOn = Monitor<Bool?>(nil)
        let hasEnded = Monitor(false)
        try SystemThread.start(name: "loop") {
            loop.run()
            hasEnded.change { $0 = true }
        }
        loop.post {
            loop.preconditionOnLoop()
            isOn.change { $0 = loop.isOnLoop }
        }
        #expect(isOn.wait(until: .after(.seconds(60))) { $0 } == true)
        #expect(!loop.isOnLoop)
        loop.stop()
        #expect(hasEnded.wait(until: .after(.seconds(60))) { $0 ? true : nil } == true)
        #expect(loop.isOnLoop)
    }

    /// Connections with many requests behind each other kept it from all others.
    @Test func jobsThatPostJobsLeaveDescriptorsTheirTurn() throws {
        let loop = try EventLoop()
        let (near, far) = try DescriptorPair.messageSockets().split()
        let (sender, receiver) = (MessageSocket(owning: near), MessageSocket(owning: far))
        let hasCome = Monitor(false)
        _ = try loop.watch(receiver.descriptor) { hasCome.change { $0 = true } }
        @Sendable func again() { if !hasCome.withLock({ $0 }) { loop.post(again) } }
        loop.post(again)
        try SystemThread.start(name: "loop") { loop.run() }
        #expect(sender.send([1]) == .sent)
        #expect(hasCome.wait(until: .after(.seconds(60))) { $0 ? true : nil } == true)
        hasCome.change { $0 = true }
        loop.stop()
    }

    @Test func aWatchThatEndedIsNotCalledForADescriptorOfTheSameNumber() throws {
        let loop = try EventLoop()
        let calls = Monitor<[Int]>([])
        let (near, far) = try DescriptorPair.messageSockets().split()
        let (sender, receiver) = (MessageSocket(owning: near), MessageSocket(owning: far))
        let old = try loop.watch(receiver.descriptor) { calls.change { $0.append(1) } }
        loop.unwatch(receiver.descriptor, old)
        _ = try loop.watch(receiver.descriptor) {
            calls.change { $0.append(2) }
            loop.stop()
        }
        #expect(sender.send([1]) == .sent)
        loop.run()
        #expect(calls.withLock { $0 } == [2])
    }
}
