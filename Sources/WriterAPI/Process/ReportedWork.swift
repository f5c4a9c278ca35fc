import WriterModel

/// What the gateway has been told of the work, so that it is told the rest.
package struct ReportedWork: Sendable {
    private var done = WorkDone()
    private var cpuSeconds = 0.0

    package init() {}

    /// Puts what has been done since the last time into `counts`. False: it is not worth telling, and stays to be told.
    package mutating func report(_ done: WorkDone, cpuSeconds: Double, in counts: inout MetricCounts) -> Bool {
        counts.framesTaken = done.taken - self.done.taken
        counts.framesEncoded = done.encoded - self.done.encoded
        counts.bytesWritten = done.bytesWritten - self.done.bytesWritten
        counts.tallies = done.tallies
        for (tally, count) in self.done.tallies { counts.tallies[tally, default: 0] -= count }
        counts.tallies = counts.tallies.filter { $0.value != 0 }
        counts.cpuSeconds = cpuSeconds - self.cpuSeconds
        // A process at rest still uses a little time.
        var besideTime = counts
        besideTime.cpuSeconds = 0
        if besideTime.isEmpty && counts.cpuSeconds < 0.01 { return false }
        self.done = done
        self.cpuSeconds = cpuSeconds
        return true
    }
}
