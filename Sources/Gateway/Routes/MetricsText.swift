import SystemIO
import WriterModel

/// The gateway's counters and gauges in Prometheus' text format, version 0.0.4.
struct MetricsText {
    struct Gauges {
        var connections = 0
        /// "": of tokens without a name.
        var writersByOwner: [String: [WriterState: Int]] = [:]
        var writerLimit = 0
        var isDraining = false
        /// nil: the client may not know of names.
        var workByName: [String: MetricCounts]?
        var encoderExits: [String: Int64] = [:]
        var forkLatency = DurationHistogram()
        var sandbox = SandboxReport(landlockABI: 0, filtersSystemCalls: false)
        var peerRequests: [PeerResult: Int64] = [:]
        var retired: [RetentionPlan.Reason: Int64] = [:]
    }

    private var lines: [String] = []

    static func render(_ counts: MetricCounts, _ gauges: Gauges) -> [UInt8] {
        var text = MetricsText()
        text.add(counts)
        text.add(gauges)
        if let work = gauges.workByName { text.add(work, gauges.writersByOwner) }
        return Array((text.lines.joined(separator: "\n") + "\n").utf8)
    }

    private mutating func add(_ counts: MetricCounts) {
        family("penstock_http_requests_total", "counter", "Requests answered, by route and status; 0: the client had gone.")
        for (answer, count) in counts.answers.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            sample("penstock_http_requests_total", "route=\"\(answer.route)\",status=\"\(answer.status)\"", Double(count))
        }
        family("penstock_http_request_duration_seconds", "histogram", "From a request's head to its answer's end.")
        for (route, histogram) in counts.durations.sorted(by: { $0.key < $1.key }) {
            add(histogram, "penstock_http_request_duration_seconds", "route=\"\(route)\"")
        }
        family("penstock_http_queue_wait_seconds", "histogram", "How long requests waited for a thread.")
        add(counts.queueWaits, "penstock_http_queue_wait_seconds", "")
        counter("penstock_http_body_bytes_read_total", "Bytes of request bodies.", Double(counts.bodyBytesRead))
        counter("penstock_http_body_bytes_sent_total", "Bytes of answers' bodies.", Double(counts.bodyBytesSent))
        counter("penstock_frames_taken_total", "Pictures, and samples per channel, taken from chunks.", Double(counts.framesTaken))
        counter("penstock_frames_encoded_total", "Frames or samples given to encoders, after filters.", Double(counts.framesEncoded))
        counter("penstock_output_bytes_total", "Bytes written to destinations.", Double(counts.bytesWritten))
        counter("penstock_encoder_cpu_seconds_total", "Processor time of encoders.", counts.cpuSeconds)
    }

    private mutating func add(_ gauges: Gauges) {
        family("penstock_gateway_connections", "gauge", "Connections at the gateway; those of live writers are with their encoders.")
        sample("penstock_gateway_connections", "", Double(gauges.connections))
        family("penstock_writers", "gauge", "Writers by state.")
        for state in WriterState.allCases {
            let count = gauges.writersByOwner.values.reduce(0) { $0 + ($1[state] ?? 0) }
            sample("penstock_writers", "state=\"\(state.rawValue)\"", Double(count))
        }
        family("penstock_live_writers_limit", "gauge", "How many writers may be live (--max-writers).")
        sample("penstock_live_writers_limit", "", Double(gauges.writerLimit))
        family("penstock_draining", "gauge", "1: the server is being drained (SIGUSR1).")
        sample("penstock_draining", "", gauges.isDraining ? 1 : 0)
        family("penstock_encoder_exits_total", "counter", "Encoder processes that ended, by exit code or signal.")
        for (reason, count) in gauges.encoderExits.sorted(by: { $0.key < $1.key }) {
            sample("penstock_encoder_exits_total", "reason=\"\(reason)\"", Double(count))
        }
        family("penstock_encoder_fork_seconds", "histogram", "From asking for an encoder to hearing of its process.")
        add(gauges.forkLatency, "penstock_encoder_fork_seconds", "")
        family("penstock_peer_requests_total", "counter", "Requests to other nodes for their writers (--peers), by how they went.")
        for result in PeerResult.allCases {
            sample("penstock_peer_requests_total", "result=\"\(result.rawValue)\"", Double(gauges.peerRequests[result] ?? 0))
        }
        family("penstock_writers_retired_total", "counter", "Ended writers that were removed by --retain-ended and its like, by which bound.")
        for reason in RetentionPlan.Reason.allCases {
            sample("penstock_writers_retired_total", "reason=\"\(reason.rawValue)\"", Double(gauges.retired[reason] ?? 0))
        }
        family("penstock_sandbox_in_force", "gauge", "What of the encoders' sandbox this system puts in force: 1, or 0.")
        for (part, isInForce) in [
            ("files", gauges.sandbox.restrictsFiles), ("tcp_ports", gauges.sandbox.restrictsTCP),
            ("signals", gauges.sandbox.restrictsSignals), ("system_calls", gauges.sandbox.filtersSystemCalls),
        ] {
            sample("penstock_sandbox_in_force", "part=\"\(part)\"", isInForce ? 1 : 0)
        }
    }

    /// The same by the names of tokens: names are of characters that need no escape.
    private mutating func add(_ work: [String: MetricCounts], _ writers: [String: [WriterState: Int]]) {
        let names = Set(work.keys).union(writers.keys).sorted()
        family("penstock_name_writers", "gauge", "Writers by the name of the token that made them, and state.")
        for name in names {
            for state in WriterState.allCases {
                sample("penstock_name_writers", "name=\"\(name)\",state=\"\(state.rawValue)\"", Double(writers[name]?[state] ?? 0))
            }
        }
        func add(_ metric: String, _ help: String, _ value: (MetricCounts) -> Double) {
            family(metric, "counter", help)
            for name in names { sample(metric, "name=\"\(name)\"", value(work[name] ?? MetricCounts())) }
        }
        add("penstock_name_requests_total", "Requests that the encoders of a name's writers answered.") {
            Double($0.answers.values.reduce(0, +))
        }
        add("penstock_name_body_bytes_read_total", "Bytes of those requests' bodies.") { Double($0.bodyBytesRead) }
        add("penstock_name_body_bytes_sent_total", "Bytes of their answers' bodies.") { Double($0.bodyBytesSent) }
        add("penstock_name_frames_taken_total", "Pictures, and samples per channel, taken from a name's chunks.") { Double($0.framesTaken) }
        add("penstock_name_output_bytes_total", "Bytes written to a name's destinations.") { Double($0.bytesWritten) }
        add("penstock_name_encoder_cpu_seconds_total", "Processor time of a name's encoders.") { $0.cpuSeconds }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        lines.append("# HELP \(name) \(help)")
        lines.append("# TYPE \(name) \(type)")
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Double) {
        family(name, "counter", help)
        sample(name, "", value)
    }

    private mutating func sample(_ name: String, _ labels: String, _ value: Double) {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        lines.append("\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(number)")
    }

    private mutating func add(_ histogram: DurationHistogram, _ name: String, _ labels: String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        var total: Int64 = 0
        for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
            total = total.addingSaturating(count)
            sample("\(name)_bucket", "\(prefix)le=\"\(bound)\"", Double(total))
        }
        sample("\(name)_bucket", "\(prefix)le=\"+Inf\"", Double(histogram.count))
        sample("\(name)_sum", labels, histogram.sum)
        sample("\(name)_count", labels, Double(histogram.count))
    }
}
