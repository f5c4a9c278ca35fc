import HTTPServer
import Synchronization
import Testing

/// Who is given up when clients hold too much.
@Suite struct HeldMemoryTests {
    private let memory = HeldMemory(limit: 800)
    private let given = Given()

    private final class Given: Sendable {
        private let names = Mutex<[String]>([])
        func add(_ name: String) { names.withLock { $0.append(name) } }
        var all: [String] { names.withLock { $0 } }
    }

    @discardableResult
    private func hold(_ bytes: Int, _ holder: HeldMemory.Holder, _ name: String) -> HeldMemory.Ticket? {
        memory.hold(bytes, for: holder) { [given] in given.add(name) }
    }

    @Test func theOldestOfTheOneThatHoldsMostGoes() {
        hold(100, .token(1), "old")
        for index in 0..<4 { hold(150, .token(2), "greedy \(index)") }
        hold(50, .token(3), "small")
        #expect(given.all == [] && memory.total == 750)
        hold(60, .token(4), "last")
        #expect(given.all == ["greedy 0"] && memory.total == 660)
    }

    /// 1,500 of them ended the downloads of those with one.
    @Test func thoseWithoutATokenTakeNothingFromThoseWithOne() {
        hold(550, .token(1), "token")
        for index in 0..<100 { hold(40, .address(index), "no token \(index)") }
        #expect(!given.all.contains("token") && given.all.count > 80)
        #expect(memory.total <= 800)
    }

    /// A quarter is theirs, so that a new client's head finds room.
    @Test func thoseWithATokenLeaveAQuarterToThoseWithoutOne() {
        hold(190, .address(1), "no token")
        for index in 0..<20 { hold(100, .token(index % 2), "token \(index)") }
        #expect(!given.all.contains("no token"))
        // At the seventh one the first of them holds 400 of 890.
        #expect(given.all.prefix(2) == ["token 0", "token 2"])
    }

    @Test func whereThereAreNoTokensTheyHaveAllOfIt() {
        for index in 0..<7 { hold(100, .address(index), "\(index)") }
        #expect(given.all == [] && memory.total == 700)
    }

    @Test func whatIsReleasedIsNotGivenUp() {
        let tickets = (0..<8).map { hold(100, .token(1), "\($0)") }
        for ticket in tickets { memory.release(ticket) }
        memory.release(tickets[0])
        #expect(memory.total == 0)
        #expect(hold(0, .token(1), "nothing") == nil)
        for index in 0..<8 { hold(100, .token(1), "again \(index)") }
        #expect(given.all == [])
    }
}
