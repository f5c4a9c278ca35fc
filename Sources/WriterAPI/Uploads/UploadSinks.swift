import Bytewise
import Stores
import StreamWriter
import SystemIO
import Threading
import Uploads
import WriterModel

/// Writes an output's files to a server of HTTP, or to a store: each by a request of its own, or in parts. The final status
/// of each decides.
final class UploadSinks: OutputSinks, @unchecked Sendable {
    // Unchecked: but for `abort`, the calls are the carrier's own, one at a time.

    /// What is needed beside the target.
    struct Setting {
        let gate: UploadGate
        let muxer: String
        let fields: UploadFields
        let retry: RetryRule
        /// What all files that are sent at a time may have of the process's.
        let memory: Int
        /// Of each file; nil: as many as there are. What is spooled has the process's bound.
        let mostBytes: Int?
        /// What keeps a file that is finished before it is sent; nil: none could be made, or what is sent is kept already.
        let spool: KeptSpool?
        let authorities: [UInt8]?
    }

    /// Of a file that a muxer opens by itself, so much is collected before it is sent: what is smaller has a length, and can
    /// be sent again.
    private static let mostCollectedBytes = 32 << 20
    private var collectedBytes: Int { min(Self.mostCollectedBytes, setting.memory / 4) }
    /// Of one that is sent as it comes, so much can be sent again.
    private static let window = 4 << 20
    private static let longestTrial = Duration.seconds(5)
    private static let longestDeletions = Duration.seconds(30)

    private let target: UploadTarget
    private let setting: Setting
    private let store: Store?
    private let ledger = UploadLedger()
    private var options = UploadOptions()
    private var opening = SinkOpening.live
    private var sendsAtOnce = false
    private var timeout: Double?
    private var http: (client: HTTPClient, stallTime: Duration?)?
    private var objects: S3Client?
    private var deletions: S3Delete?
    private var file: SpoolFile?

    /// `store` is the target's, where that is an object.
    init(_ target: UploadTarget, _ store: Store?, _ setting: Setting) { (self.target, self.store, self.setting) = (target, store, setting) }

    var muxerName: String { target.muxerName }

    // MARK: Opening

    func prepare(_ option: inout [String: String], of opening: SinkOpening, timeout: Double?) throws(StreamWriterError) {
        self.opening = opening
        self.timeout = timeout
        options = try UploadOptions(taking: &option, muxer: setting.muxer, target)
        var ofAll = options
        if case .http = target { try setting.fields.add(to: &ofAll, type: nil) }
        tellMuxer(&option)
        do throws(SinkFailure) { try tryOut() } catch {
            throw StreamWriterError(error.isForbidden ? .destinationRefused : .destinationFailed, error.reason)
        }
    }

    private func tellMuxer(_ option: inout [String: String]) {
        guard case .manyFiles(let muxer) = opening else { return }
        // Without it hls deletes over plain http only.
        if muxer.isSame(as: "hls") { option["method"] = "PUT" }
        // Segments that players read while they are written.
        sendsAtOnce = ["streaming", "ldash"].contains { name in option[name].map { !$0.isSame(as: "0") } ?? false }
        guard case .object(let place) = target else { return }
        for name in ["hls_segment_filename", "hls_subtitle_path", "segment_list", "segment_header_filename", "header"] {
            if let inStore = option[name].flatMap(place.muxerName(of:)) { option[name] = inStore }
        }
    }

    /// A store says before there are bytes for it whether it takes them. Of a server of HTTP, as far as nothing is sent now,
    /// that it is there must do.
    private func tryOut() throws(SinkFailure) {
        guard case .object(let place) = target else {
            let url = try setting.gate.admit(muxerName)
            if case .live = opening { return }
            let client = try client(stallTime: options.timeout)
            do throws(UploadError) { return try ledger.waiting { () throws(UploadError) in try client.tryConnecting(to: url) } } catch { throw SinkFailure(error) }
        }
        let (client, fields) = (try objectClient(), try objectFields(of: place.key))
        var retry = setting.retry
        retry.retryTime = min(retry.retryTime, Self.longestTrial)
        do throws(UploadError) {
            try ledger.waiting { [retry] () throws(UploadError) in try client.tryOut(try client.store.key(place.key), fields, retry: retry) }
        } catch { throw SinkFailure(error) }
    }

    // MARK: Files

    func sink(for name: String, _ ofFile: [String: String]) throws(SinkFailure) -> any ByteSink {
        let isDeletion = ofFile["method"]?.isSame(as: "DELETE") ?? false
        switch target {
        case .http: return try httpSink(name, ofFile, isDeletion: isDeletion)
        case .object(let place):
            guard let key = place.key(ofMuxerName: name) else {
                throw SinkFailure("the muxer opens \(URLText.redacted(destination: name)), which is not in the store \(place.store)", isForbidden: true)
            }
            return try objectSink(key, ofFile, isDeletion: isDeletion)
        }
    }

    private func httpSink(_ name: String, _ ofFile: [String: String], isDeletion: Bool) throws(SinkFailure) -> any ByteSink {
        let url = try setting.gate.admit(name)
        var options = try asFailure { () throws(StreamWriterError) in try self.options.with(ofFile, target) }
        try asFailure { () throws(StreamWriterError) in
            try setting.fields.add(to: &options, type: MediaTypes.type(of: name, muxer: setting.muxer))
        }
        let client = try client(stallTime: options.timeout)
        let upload = HTTPUpload.Target(url, method: options.method, headers: options.headers)
        if isDeletion {
            let (delete, ledger) = (HTTPDelete(client, upload, retry: setting.retry), ledger)
            return DeletingSink { () throws(SinkFailure) in
                do throws(UploadError) { try ledger.waiting { () throws(UploadError) in try delete.send() } } catch { throw SinkFailure(error) }
            }
        }
        var transfer = HTTPUpload.Options()
        transfer.retry = setting.retry
        transfer.window = Self.window
        if case .manyFiles = opening, !sendsAtOnce { (transfer.window, transfer.collectedBytes) = (collectedBytes, collectedBytes) }
        let sink = HTTPUpload(client, to: upload, options: transfer)
        let ours = try begun(sink, name)
        if case .live = opening {
            do throws(UploadError) { try ledger.waiting { () throws(UploadError) in try sink.open() } } catch {
                ours.abort()
                throw SinkFailure(error)
            }
        }
        return ours
    }

    private func objectSink(_ key: String, _ ofFile: [String: String], isDeletion: Bool) throws(SinkFailure) -> any ByteSink {
        _ = try asFailure { () throws(StreamWriterError) in try options.with(ofFile, target) }
        let client = try objectClient()
        let (place, fields) = (try objectKey(key, client), try objectFields(of: key))
        if isDeletion {
            let deletions = deletions ?? S3Delete(client, retry: setting.retry)
            self.deletions = deletions
            return DeletingSink { () throws(SinkFailure) in deletions.delete(place) }
        }
        var transfer = S3Upload.Options()
        transfer.retry = setting.retry
        transfer.memory = setting.memory
        return try begun(S3Upload(client, place, fields, options: transfer), key)
    }

    private func begun(_ sink: any UploadSink, _ name: String) throws(SinkFailure) -> LedgerSink {
        let name = ByteKey(name)
        guard ledger.begin(sink, of: name) else { throw SinkFailure("it was interrupted") }
        return LedgerSink(sink, of: name, ledger, mostBytes: setting.mostBytes)
    }

    // MARK: A file that is finished

    func spoolDescriptor() throws(StreamWriterError) -> Int32 {
        guard let spool = setting.spool else {
            throw StreamWriterError(.noSpace, "\(setting.muxer) is written to a file of the server's first, and none can be made")
        }
        do throws(UploadError) {
            let file = try spool.begin()
            self.file = file
            return try file.duplicate()
        } catch {
            throw StreamWriterError(.noSpace, "\(setting.muxer) is written to a file of the server's first: \(error.description)")
        }
    }

    func sendSpool() throws(SinkFailure) {
        guard let file, let spool = setting.spool else { return }
        do throws(SystemError) { try spool.keep() } catch {
            throw SinkFailure("what is to be sent can't be kept: \(error.description)")
        }
        do throws(SinkFailure) { try send(file) } catch {
            throw SinkFailure(error.reason + spool.advice, isForbidden: error.isForbidden)
        }
        spool.remove()
    }

    /// Sends a file that is finished.
    func send(_ file: SpoolFile) throws(SinkFailure) {
        let upload = FileUpload(file, to: try fileDestination(), retry: setting.retry)
        guard ledger.begin(upload) else { throw SinkFailure("it was interrupted") }
        do throws(UploadError) { try ledger.waiting { () throws(UploadError) in try upload.send() } } catch { throw SinkFailure(error) }
    }

    private func fileDestination() throws(SinkFailure) -> FileUpload.Destination {
        switch target {
        case .http(let url):
            var options = options
            try asFailure { () throws(StreamWriterError) in
                try setting.fields.add(to: &options, type: MediaTypes.type(of: url, muxer: setting.muxer))
            }
            let target = HTTPUpload.Target(try setting.gate.admit(url), method: options.method, headers: options.headers)
            return .http(try client(stallTime: options.timeout), target)
        case .object(let place):
            let client = try objectClient()
            return .object(client, try objectKey(place.key, client), try objectFields(of: place.key))
        }
    }

    // MARK: The end

    func finish() throws(SinkFailure) {
        guard let deletions else { return }
        let (failed, failures) = deletions.finish(until: .after(setting.retry.retryTime + Self.longestDeletions))
        guard let first = failures.first else { return }
        throw SinkFailure("\(failed) of the files that it was to delete are still there; \(first)")
    }

    func abort() { abort(within: .seconds(1)) }

    /// Waits so long for what is taken back.
    func abort(within time: Duration) { ledger.endAll(until: .after(time)) }

    // MARK: Clients

    private func client(stallTime: Duration?) throws(SinkFailure) -> HTTPClient {
        if let http, http.stallTime == stallTime { return http.client }
        var rules = ConnectionRules()
        rules.authorities = setting.authorities
        if let timeout { rules.connectTimeout = min(rules.connectTimeout, .seconds(timeout)) }
        if let stallTime { (rules.stallTimeout, rules.connectTimeout) = (stallTime, min(rules.connectTimeout, stallTime)) }
        rules.allowsAddress = { address, _ in UploadGate.allows(address) }
        if case .http = target { rules.refusalOfRedirection = { [gate = setting.gate] in gate.refusal(of: $0) } }
        do throws(UploadError) {
            let client = try HTTPClient(rules: rules)
            http = (client, stallTime)
            return client
        } catch { throw SinkFailure(error) }
    }

    private func objectClient() throws(SinkFailure) -> S3Client {
        if let objects { return objects }
        guard let store else { throw SinkFailure("the store of this output is not there any more") }
        setting.gate.admit(store)
        let client = S3Client(try client(stallTime: options.timeout), store)
        objects = client
        return client
    }

    private func objectKey(_ key: String, _ client: S3Client) throws(SinkFailure) -> ObjectKey {
        do throws(UploadError) { return try client.store.key(key) } catch { throw SinkFailure(error) }
    }

    private func objectFields(of key: String) throws(SinkFailure) -> ObjectFields {
        try asFailure { () throws(StreamWriterError) in
            try setting.fields.objectFields(type: MediaTypes.type(of: key, muxer: setting.muxer))
        }
    }

    private func asFailure<R>(_ body: () throws(StreamWriterError) -> R) throws(SinkFailure) -> R {
        do throws(StreamWriterError) { return try body() } catch { throw SinkFailure(error.message) }
    }
}
