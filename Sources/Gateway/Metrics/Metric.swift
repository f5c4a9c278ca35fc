/// One of the metrics that `/metrics` has, as the table says: its lines there and its row in docs/reference are made
/// of this.
struct Metric: Sendable {
    enum Kind: String, Sendable { case counter, gauge, histogram }

    let name: String
    let kind: Kind
    /// A sentence, as the HELP line has it.
    let help: String
    /// In the order that samples have them.
    let labels: [String]
    /// What to watch it for; "": it explains others.
    let alert: String
    /// Only an admin's token sees it.
    let isByName: Bool

    init(
        _ name: String, _ kind: Kind, _ help: String, labels: [String] = [], alert: String = "", isByName: Bool = false
    ) {
        self.name = "penstock_" + name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.alert = alert
        self.isByName = isByName
    }
}

extension Metric {
    static let requests = Metric(
        "http_requests_total", .counter,
        "Requests that were responded to, by route, status and how the response ended (complete; cut: the client left; failed: the server broke it off). Status 499: the client left before there was a response.",
        labels: ["route", "status", "outcome"],
        alert: "`status=~\"500|504\"` or `outcome=\"failed\"` above 1 % of all; `status=\"503\"`: work is refused; `status=\"507\"`: no space.")
    static let problems = Metric(
        "http_problems_total", .counter, "Responses that told of a problem, by its code (docs/reference/problems.md).", labels: ["code"],
        alert: "A code that grows after a release of a client: it asks for what is not taken.")
    static let requestDuration = Metric(
        "http_request_duration_seconds", .histogram, "From a request's head to its response's end.", labels: ["route"],
        alert: "`createWriter` and `openWriter`: destinations are slow. `writeChunk` lasts as long as its client sends.")
    static let queueWait = Metric(
        "http_queue_wait_seconds", .histogram, "How long requests waited for a thread.",
        alert: "0.99 quantile above 0.5 s: short of processors or of `--handler-threads`.")
    static let bodyBytesRead = Metric("http_body_bytes_read_total", .counter, "Bytes of request bodies.")
    static let bodyBytesSent = Metric("http_body_bytes_sent_total", .counter, "Bytes of responses' bodies.")
    static let framesTaken = Metric("frames_taken_total", .counter, "Pictures, and samples per channel, taken from chunks.")
    static let framesEncoded = Metric("frames_encoded_total", .counter, "Frames or samples given to encoders, after filters.")
    static let bytesReceived = Metric(
        "stream_bytes_received_total", .counter, "Raw bytes taken into streams, whole frames only.", labels: ["kind"],
        alert: "No growth while `penstock_writers{state=\"open\"}` is not 0: clients have stopped sending.")
    static let bytesEncoded = Metric(
        "stream_bytes_encoded_total", .counter, "Bytes of packets that encoders gave for streams.", labels: ["kind"])
    static let chunksLate = Metric(
        "chunks_late_total", .counter,
        "Chunks to writers of URLs that came more than 1 s after the time that the chunks before them fill.", labels: ["kind"],
        alert: "Any growth: live streams stutter, as their clients do not send in real time.")
    static let framesDroppedLate = Metric(
        "frames_dropped_late_total", .counter,
        "Pictures, and samples per channel, that streams with `when_late: drop` left out, as they came too late or faster than they could be encoded.",
        labels: ["kind"], alert: "Growth of `video` beside `penstock_encoder_cpu_seconds_total` near the processors: a slower encoder preset than they can keep up with.")
    static let uploadsInterrupted = Metric(
        "uploads_interrupted_total", .counter,
        "Chunks whose body did not come whole (cut: the connection ended; timed_out: nothing came for --body-timeout).",
        labels: ["reason"], alert: "More of these than of `penstock_uploads_resumed_total`, for long: clients die.")
    static let uploadsResumed = Metric(
        "uploads_resumed_total", .counter, "Chunks that followed an interrupted one on its stream.")
    static let outputBytes = Metric("output_bytes_total", .counter, "Bytes written to destinations.")
    static let outputs = Metric(
        "outputs_total", .counter,
        "Outputs of writers that were made, by where they write to (managed: kept for …/output; file; device; none; other) or their URL's scheme.",
        labels: ["scheme"])
    static let outputFailures = Metric(
        "output_failures_total", .counter, "Outputs that failed, of writers with several; the writer may have gone on.", labels: ["scheme"],
        alert: "Any growth: recordings or streams end early that their writers' state may not tell of.")
    static let outputBreaks = Metric(
        "output_breaks_total", .counter, "Outputs that broke and were to be opened again (reconnect).", labels: ["scheme"],
        alert: "Growth beside `penstock_output_reconnects_total` that stands still: a destination is away.")
    static let outputReconnects = Metric(
        "output_reconnects_total", .counter, "Outputs that were opened again.", labels: ["scheme"])
    static let ended = Metric(
        "writers_ended_total", .counter,
        "Writers that ended, by how (closed, failed, deleted; unmade: their creation failed) and by what ended them.",
        labels: ["state", "ended_by"],
        alert: "`state=\"failed\"` beside `state=\"closed\"`; `ended_by=\"idle_timeout\"`: clients that do not finalize.")
    static let failures = Metric(
        "failures_total", .counter,
        "Writers, and encodings in one request, that failed, by the problem's code (docs/reference/problems.md).", labels: ["code"],
        alert: "`destination-failed`: destinations; `no-space`: the disk; `encoder-crashed`, `encoder-stalled`, `output-damaged`, `internal-error`: any is the server's fault.")
    static let encoderCPU = Metric("encoder_cpu_seconds_total", .counter, "Processor time of encoders.", alert: "Near the number of processors: add a node.")
    static let connections = Metric(
        "gateway_connections", .gauge, "Connections at the gateway, with those that its encoders serve.", alert: "Near `--max-connections`.")
    static let writers = Metric(
        "writers", .gauge, "Writers by state; of those that have ended, the ones that are on record.", labels: ["state"],
        alert: "`open`, `configuring` and `finalizing` above 0.9 of `penstock_live_writers_limit`.")
    static let writerLimit = Metric("live_writers_limit", .gauge, "How many writers may be live (--max-writers).")
    static let draining = Metric("draining", .gauge, "1: the server is being drained (SIGUSR1).", alert: "1 for hours: a drain was forgotten.")
    static let encoderExits = Metric(
        "encoder_exits_total", .counter, "Encoder processes that ended, by exit code or signal.", labels: ["reason"],
        alert: "Any `reason` but `exit_0`: a crash, or the kernel's want of memory (`SIGKILL`).")
    static let carriers = Metric("carriers", .gauge, "Carriers at work: processes that each write one output for a writer's encoder.")
    static let forkLatency = Metric(
        "encoder_fork_seconds", .histogram, "From asking for an encoder to hearing of its process.", alert: "0.95 quantile above 1 s.")
    static let peerRequests = Metric(
        "peer_requests_total", .counter, "Requests to other nodes for their writers (--peers), by how they went.", labels: ["result"],
        alert: "Any `result` but `ok` that goes on: lists lack a node.")
    static let retired = Metric(
        "writers_retired_total", .counter, "Ended writers that were removed by --retain-ended and its like, by which bound.",
        labels: ["reason"])
    static let webhooks = Metric(
        "webhook_deliveries_total", .counter,
        "Webhooks, by what came of them: delivered; failed: an attempt, which is made again; given_up: not delivered in time, or one too many; gone: the receiver wants nothing more (410).",
        labels: ["result"], alert: "Growth of `given_up`: receivers are not told what became of their writers.")
    static let webhooksPending = Metric("webhooks_pending", .gauge, "Webhooks that are not delivered yet, each counted for each of its receivers.")
    static let webhooksAge = Metric(
        "webhooks_oldest_pending_seconds", .gauge, "How long ago the oldest of those happened; 0: there is none.",
        alert: "Above 600: a receiver does not take them.")
    static let sandbox = Metric(
        "sandbox_in_force", .gauge, "What of the encoders' sandbox this system puts in force: 1, or 0.", labels: ["part"],
        alert: "0 of `files` or `system_calls`.")
    static let nameWriters = Metric(
        "name_writers", .gauge, "Writers by the name of the token that made them, and state.", labels: ["name", "state"], isByName: true)
    static let nameRequests = Metric(
        "name_requests_total", .counter, "Requests that the encoders of a name's writers responded to.", labels: ["name"], isByName: true)
    static let nameBytesRead = Metric("name_body_bytes_read_total", .counter, "Bytes of those requests' bodies.", labels: ["name"], isByName: true)
    static let nameBytesSent = Metric("name_body_bytes_sent_total", .counter, "Bytes of their responses' bodies.", labels: ["name"], isByName: true)
    static let nameFrames = Metric(
        "name_frames_taken_total", .counter, "Pictures, and samples per channel, taken from a name's chunks.", labels: ["name"], isByName: true)
    static let nameOutputBytes = Metric("name_output_bytes_total", .counter, "Bytes written to a name's destinations.", labels: ["name"], isByName: true)
    static let nameCPU = Metric("name_encoder_cpu_seconds_total", .counter, "Processor time of a name's encoders.", labels: ["name"], isByName: true)

    /// In the order that they are shown.
    static let all = [
        writers, writerLimit, ended, failures, outputs, outputFailures, outputBreaks, outputReconnects, bytesReceived, bytesEncoded, framesTaken, framesEncoded, outputBytes, chunksLate, framesDroppedLate,
        uploadsInterrupted, uploadsResumed, requests, problems, requestDuration, queueWait, bodyBytesRead, bodyBytesSent, connections,
        encoderCPU, encoderExits, forkLatency, carriers, sandbox, draining, peerRequests, retired,
        webhooks, webhooksPending, webhooksAge,
        nameWriters, nameRequests, nameBytesRead, nameBytesSent, nameFrames, nameOutputBytes, nameCPU,
    ]
}
