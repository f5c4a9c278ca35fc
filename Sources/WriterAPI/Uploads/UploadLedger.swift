import Bytewise
import StreamWriter
import Threading
import Uploads
import WriterModel

/// The uploads of one carrier that are under way: so that they can be ended, and that be waited for. Any thread.
final class UploadLedger: Sendable {
    private let state = Monitor(State())

    private struct State {
        var sinks: [ObjectIdentifier: any UploadSink] = [:]
        var file: FileUpload?
        /// What the muxer has open, by its names.
        var names: [ByteKey: OpenName] = [:]
        /// Calls that wait for a server.
        var waiting = 0
        var isEnded = false
    }

    /// A name that is open once or several times: hls opens its single file twice, and writes by one of them alone.
    private struct OpenName {
        var sinks: Set<ObjectIdentifier> = []
        /// Whose bytes are the file's.
        var writer: ObjectIdentifier?
    }

    /// Runs a call that may wait for a server, or take back what it has.
    func waiting<R>(_ body: () throws(UploadError) -> R) throws(UploadError) -> R {
        state.withLock { $0.waiting += 1 }
        defer { state.change { $0.waiting -= 1 } }
        return try body()
    }

    /// False: everything is over, and nothing begins.
    func begin(_ sink: any UploadSink, of name: ByteKey) -> Bool {
        state.withLock { state in
            if state.isEnded { return false }
            state.sinks[ObjectIdentifier(sink)] = sink
            state.names[name, default: OpenName()].sinks.insert(ObjectIdentifier(sink))
            return true
        }
    }

    /// False: another sink that was open at the same time has written the file, which this one would replace.
    func mayWrite(_ sink: any UploadSink, to name: ByteKey) -> Bool {
        state.withLock { state in
            let own = ObjectIdentifier(sink), writer = state.names[name]?.writer ?? own
            state.names[name]?.writer = writer
            return writer == own
        }
    }

    /// The muxer closes it; false: nothing is to be sent for it, as what there is of the file comes from another sink.
    @discardableResult
    func close(_ sink: any UploadSink, of name: ByteKey) -> Bool {
        state.withLock { state in
            let own = ObjectIdentifier(sink)
            guard var open = state.names[name], open.sinks.remove(own) != nil else { return false }
            state.names[name] = open.sinks.isEmpty ? nil : open
            return open.writer.map { $0 == own } ?? open.sinks.isEmpty
        }
    }

    func begin(_ file: FileUpload) -> Bool {
        state.withLock { state in
            if !state.isEnded { state.file = file }
            return !state.isEnded
        }
    }

    func end(_ sink: any UploadSink) { state.withLock { $0.sinks[ObjectIdentifier(sink)] = nil } }

    /// Ends them all, and waits for what they take back, no longer than until then.
    func endAll(until deadline: Deadline) {
        let (sinks, file) = state.withLock { state in
            state.isEnded = true
            return (Array(state.sinks.values), state.file)
        }
        file?.abort()
        for sink in sinks { sink.abort() }
        _ = state.wait(until: deadline) { $0.waiting == 0 ? true : nil }
    }
}

/// A sink of libav's that is one of Uploads'.
final class LedgerSink: ByteSink, @unchecked Sendable {
    // Unchecked: what is not the ledger's is the writing thread's alone.
    private let sink: any UploadSink
    private let name: ByteKey
    private let ledger: UploadLedger
    private let mostBytes: Int?
    private var written = 0

    /// `mostBytes`: what the server takes of one file.
    init(_ sink: any UploadSink, of name: ByteKey, _ ledger: UploadLedger, mostBytes: Int?) {
        (self.sink, self.name, self.ledger, self.mostBytes) = (sink, name, ledger, mostBytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SinkFailure) {
        if bytes.isEmpty { return }
        guard written > 0 || ledger.mayWrite(sink, to: name) else {
            throw SinkFailure("the muxer has \(URLText.redacted(destination: name.text)) open twice and writes to both, so that one would replace the other")
        }
        written += bytes.count
        if let mostBytes, written > mostBytes { throw SinkFailure.tooLarge("writing \(URLText.redacted(destination: name.text)): it is larger than an output may be") }
        try call { () throws(UploadError) in try sink.write(bytes) }
    }

    func finish() throws(SinkFailure) {
        guard ledger.close(sink, of: name) else { return abort() }
        try call { () throws(UploadError) in try sink.finish() }
        ledger.end(sink)
    }

    func abort() {
        ledger.close(sink, of: name)
        _ = try? ledger.waiting { sink.abort() }
        ledger.end(sink)
    }

    private func call(_ body: () throws(UploadError) -> Void) throws(SinkFailure) {
        do throws(UploadError) { try ledger.waiting(body) } catch { throw SinkFailure(error) }
    }
}

/// A file that is deleted, which muxers do by opening it in a way of its own.
final class DeletingSink: ByteSink {
    private let delete: @Sendable () throws(SinkFailure) -> Void

    init(_ delete: @escaping @Sendable () throws(SinkFailure) -> Void) { self.delete = delete }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SinkFailure) {}
    func finish() throws(SinkFailure) { try delete() }
    func abort() {}
}

extension SinkFailure {
    init(_ error: UploadError) {
        let advice = error.kind == .untrusted ? " (an authority of one's own is named by the server's --ca-file)" : ""
        self.init(error.description + advice, isForbidden: error.kind == .addressForbidden)
    }
}
