import Logging
import SystemIO
import Testing
import WriterAPI

/// What the fork server does before it forks.
@Suite struct EncoderRehearsalTests {
    @Test func aRehearsalIsAWholeLifeAndLeavesNothing() throws {
        let state = TemporaryFolder()
        let rehearsal = try EncoderRehearsal(.enforced, in: state.path, log: Logger(label: "rehearsal"))
        // To create, to add a stream, to open; a chunk; to ask for the offset and for the writer; to finalize. And to encode.
        #expect(try rehearsal.run() == [201, 201, 200, 200, 204, 200, 200, 200])
        #expect(Directory.names(in: state.path + "/rehearsal") == ["state"])
        _ = consume rehearsal
        #expect(Directory.names(in: state.path) == [])
    }

    @Test func whatAKilledRehearsalHasLeftIsNotInTheWayOfTheNext() throws {
        let state = TemporaryFolder()
        for name in ["rehearsal", "rehearsal/state"] { _ = try Directory(path: "\(state.path)/\(name)") }
        state.write("rehearsal/state/output.wav", "of the one before")
        #expect(try EncoderRehearsal(.enforced, in: state.path, log: Logger(label: "rehearsal")).run().allSatisfy { $0 / 100 == 2 })
        #expect(Directory.names(in: state.path) == [])
    }
}
