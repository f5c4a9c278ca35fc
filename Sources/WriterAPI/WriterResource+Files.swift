import SystemIO
import WriterModel

// The list of a writer's files on disk, for whoever finds the writer without its encoder. It grows with
// time, so no message carries it.
extension WriterResource {
    /// When the list is to be kept again.
    struct FileKeeping: Sendable {
        var isUnderWay = false
        /// Of the list that is on disk.
        var version = 0
        var next = Deadline.after(.zero)
    }

    /// Writes the record if there are other files than it says, in a thread of its own, and for no more
    /// than a hundredth of the time however long the list is.
    func keepFiles() {
        let version = state.withLock { state -> Int? in
            guard case .alive = state.phase, state.isCreated, let version = state.parts?.place.filesVersion,
                version != state.keeping.version, !state.keeping.isUnderWay, state.keeping.next.hasPassed
            else { return nil }
            state.keeping.isUnderWay = true
            return version
        }
        guard let version else { return }
        do throws(SystemError) {
            try SystemThread.start(name: "files") { [self] in
                let began = ContinuousClock.now
                let isKept = (try? folder.writeAtomically(WriterRecord.fileName, record.json.encoded)) != nil
                endKeeping(isKept ? version : nil, after: ContinuousClock.now - began)
            }
        } catch {
            endKeeping(nil, after: .seconds(1))
        }
    }

    private func endKeeping(_ version: Int?, after time: Duration) {
        state.change { state in
            state.keeping.isUnderWay = false
            state.keeping.version = version ?? state.keeping.version
            state.keeping.next = .after(time * 100)
        }
    }

    /// The last record is written after any other.
    func awaitKeeping() {
        _ = state.wait { $0.keeping.isUnderWay ? nil : true }
    }
}
