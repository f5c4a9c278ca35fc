import SystemIO
import WriterModel

/// The gateway's counters and gauges in Prometheus' text format, version 0.0.4. `Metric` says what each is.
struct MetricsText {
    struct Gauges {
        var connections = 0
        /// "": of tokens without a name.
        var writersByOwner: [String: [WriterState: Int]] = [:]
        var writerLimit = 0
        var carriers = 0
        var isDraining = false
        /// Only an admin is told of names.
        var showsNames = false
        var encoders = EncoderTally.Counts()
        var sandbox = SandboxReport(landlockABI: 0, filtersSystemCalls: false)
        var peerRequests: [PeerResult: Int64] = [:]
        var retired: [RetentionPlan.Reason: Int64] = [:]
        var webhooks = Webhooks.Figures()
    }

    private var lines: [String] = []

    static func render(_ counts: MetricCounts, _ gauges: Gauges) -> [UInt8] {
        var text = MetricsText()
        text.addWriters(counts, gauges)
        text.addStreams(counts)
        text.addRequests(counts, gauges)
        text.addServer(counts, gauges)
        if gauges.showsNames { text.add(gauges.encoders.workByName, gauges.writersByOwner) }
        return Array((text.lines.joined(separator: "\n") + "\n").utf8)
    }

    // MARK: What is told

    private mutating func addWriters(_ counts: MetricCounts, _ gauges: Gauges) {
        addEach(.writers, WriterState.allCases, labels: { [$0.rawValue] }) { state in gauges.writersByOwner.values.reduce(0) { $0 + Double($1[state] ?? 0) } }
        add(.writerLimit, Double(gauges.writerLimit))
        let ends = Set(Self.usualEnds).union(gauges.encoders.ends.keys).map { ($0.state.rawValue, $0.cause.rawValue, gauges.encoders.ends[$0] ?? 0) }
        addEach(.ended, ends.sorted { ($0.0, $0.1) < ($1.0, $1.1) }, labels: { [$0.0, $0.1] }) { Double($0.2) }
        let failures = Set(ProblemCode.ofFailures.map(\.rawValue)).union(counts.failures.keys)
        addEach(.failures, failures.sorted(), labels: { [$0] }) { Double(counts.failures[$0] ?? 0) }
        func addOutputs(_ metric: Metric, _ counted: [String: Int64]) {
            addEach(metric, OutputScheme.all, labels: { [$0] }) { Double(counted[$0] ?? 0) }
        }
        addOutputs(.outputs, gauges.encoders.outputs)
        addOutputs(.outputFailures, gauges.encoders.outputFailures)
        addOutputs(.outputBreaks, gauges.encoders.outputBreaks)
        addOutputs(.outputReconnects, gauges.encoders.outputReconnects)
    }

    /// There from the start, so that the first of each is seen as growth.
    private static let usualEnds = [
        (WriterEnd.State.closed, [WriterEnd.Cause.finalize, .shutdown, .gatewayLost, .idleTimeout, .runTime]),
        (.failed, [.error, .stall, .crash, .restart, .idleTimeout, .runTime, .shutdown]),
        (.deleted, [.delete]), (.unmade, [.error, .clientLeft, .crash, .stall]),
    ].flatMap { state, causes in causes.map { EncoderTally.End(state: state, cause: $0) } }

    private mutating func addStreams(_ counts: MetricCounts) {
        func addTallies(_ metric: Metric, _ tallies: [(label: String, tally: MetricCounts.Tally)]) {
            addEach(metric, tallies, labels: { [$0.label] }) { Double(counts.tallies[$0.tally] ?? 0) }
        }
        addTallies(.bytesReceived, [("audio", .audioBytesReceived), ("video", .videoBytesReceived)])
        addTallies(.bytesEncoded, [("audio", .audioBytesEncoded), ("video", .videoBytesEncoded)])
        add(.framesTaken, Double(counts.framesTaken))
        add(.framesEncoded, Double(counts.framesEncoded))
        add(.outputBytes, Double(counts.bytesWritten))
        addTallies(.chunksLate, [("audio", .audioChunksLate), ("video", .videoChunksLate)])
        addTallies(.framesDroppedLate, [("audio", .audioFramesDroppedLate), ("video", .videoFramesDroppedLate)])
        addTallies(.uploadsInterrupted, [("cut", .uploadsCut), ("timed_out", .uploadsTimedOut)])
        add(.uploadsResumed, Double(counts.tallies[.uploadsResumed] ?? 0))
    }

    private mutating func addRequests(_ counts: MetricCounts, _ gauges: Gauges) {
        let answers = counts.answers.map { ([$0.key.route, String($0.key.status), $0.key.outcome.rawValue], $0.value) }
        addEach(.requests, answers.sorted { $0.0.joined(separator: " ") < $1.0.joined(separator: " ") }, labels: { $0.0 }) { Double($0.1) }
        addEach(.problems, counts.problems.keys.sorted(), labels: { [$0] }) { Double(counts.problems[$0] ?? 0) }
        addHistograms(.requestDuration, counts.durations.sorted { $0.key < $1.key }.map { (labels: [$0.key], $0.value) })
        addHistograms(.queueWait, [(labels: [], counts.queueWaits)])
        add(.bodyBytesRead, Double(counts.bodyBytesRead))
        add(.bodyBytesSent, Double(counts.bodyBytesSent))
        add(.connections, Double(gauges.connections))
    }

    private mutating func addServer(_ counts: MetricCounts, _ gauges: Gauges) {
        add(.encoderCPU, counts.cpuSeconds)
        addEach(.encoderExits, gauges.encoders.exits.keys.sorted(), labels: { [$0] }) { Double(gauges.encoders.exits[$0] ?? 0) }
        addHistograms(.forkLatency, [(labels: [], gauges.encoders.forkLatency)])
        add(.carriers, Double(gauges.carriers))
        let parts = [
            ("files", gauges.sandbox.restrictsFiles), ("tcp_ports", gauges.sandbox.restrictsTCP),
            ("signals", gauges.sandbox.restrictsSignals), ("system_calls", gauges.sandbox.filtersSystemCalls),
        ]
        addEach(.sandbox, parts, labels: { [$0.0] }) { $0.1 ? 1 : 0 }
        add(.draining, gauges.isDraining ? 1 : 0)
        addEach(.peerRequests, PeerResult.allCases, labels: { [$0.rawValue] }) { Double(gauges.peerRequests[$0] ?? 0) }
        addEach(.retired, RetentionPlan.Reason.allCases, labels: { [$0.rawValue] }) { Double(gauges.retired[$0] ?? 0) }
        addEach(.webhooks, Webhooks.Figures.Result.allCases, labels: { [$0.rawValue] }) { Double(gauges.webhooks.results[$0] ?? 0) }
        add(.webhooksPending, Double(gauges.webhooks.pending))
        add(.webhooksAge, gauges.webhooks.age)
    }

    /// The same by the names of tokens.
    private mutating func add(_ work: [String: MetricCounts], _ writers: [String: [WriterState: Int]]) {
        let names = Set(work.keys).union(writers.keys).sorted()
        let states = names.flatMap { name in WriterState.allCases.map { (name, $0) } }
        addEach(.nameWriters, states, labels: { [$0.0, $0.1.rawValue] }) { Double(writers[$0.0]?[$0.1] ?? 0) }
        func addByName(_ metric: Metric, _ value: (MetricCounts) -> Double) {
            addEach(metric, names, labels: { [$0] }) { value(work[$0] ?? MetricCounts()) }
        }
        addByName(.nameRequests) { Double($0.answers.values.reduce(Int64(0)) { $0.addingSaturating($1) }) }
        addByName(.nameBytesRead) { Double($0.bodyBytesRead) }
        addByName(.nameBytesSent) { Double($0.bodyBytesSent) }
        addByName(.nameFrames) { Double($0.framesTaken) }
        addByName(.nameOutputBytes) { Double($0.bytesWritten) }
        addByName(.nameCPU) { $0.cpuSeconds }
    }

    // MARK: How

    private mutating func add(_ metric: Metric, _ value: Double) {
        head(metric)
        sample(metric.name, [], [], value)
    }

    /// A sample for each of the items.
    private mutating func addEach<Item>(_ metric: Metric, _ items: [Item], labels: (Item) -> [String], value: (Item) -> Double) {
        head(metric)
        for item in items { sample(metric.name, metric.labels, labels(item), value(item)) }
    }

    private mutating func addHistograms(_ metric: Metric, _ histograms: [(labels: [String], DurationHistogram)]) {
        head(metric)
        for (values, histogram) in histograms {
            var total: Int64 = 0
            for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
                total = total.addingSaturating(count)
                sample(metric.name + "_bucket", metric.labels + ["le"], values + ["\(bound)"], Double(total))
            }
            sample(metric.name + "_bucket", metric.labels + ["le"], values + ["+Inf"], Double(histogram.count))
            sample(metric.name + "_sum", metric.labels, values, histogram.sum)
            sample(metric.name + "_count", metric.labels, values, Double(histogram.count))
        }
    }

    private mutating func head(_ metric: Metric) {
        lines.append("# HELP \(metric.name) \(metric.help)")
        lines.append("# TYPE \(metric.name) \(metric.kind.rawValue)")
    }

    /// No value of a label needs an escape: they are names of ours, of tokens and of signals.
    private mutating func sample(_ name: String, _ labels: [String], _ values: [String], _ value: Double) {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        let pairs = zip(labels, values).map { "\($0)=\"\($1)\"" }.joined(separator: ",")
        lines.append("\(name)\(pairs.isEmpty ? "" : "{\(pairs)}") \(number)")
    }
}
