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
        counts.cpuSeconds = cpuSeconds - self.cpuSeconds
        self.done = done
        // A process at rest still uses a little time.
        if counts.answers.isEmpty && counts.framesTaken == 0 && counts.cpuSeconds < 0.01 { return false }
        self.cpuSeconds = cpuSeconds
        return true
    }
}
