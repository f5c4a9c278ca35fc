import APICore
import StreamWriter
import Synchronization
import SystemIO
import Testing
import WriterAPI
import WriterModel

/// A writer as its encoder has it, without the process, the sandbox and the gateway around it.
final class WriterScene: Sendable {
    private final class Reports: Sendable {
        let all = Mutex<[ControlMessage]>([])
    }

    let folder = TemporaryFolder()
    let resource: WriterResource
    private let reports = Reports()

    init(
        outputs: OutputPolicy = OutputPolicy(), othersFolders: [String] = [], limits: ServiceLimits = ServiceLimits(),
        narrow: @escaping WriterResource.Narrow = { _ in }, requireKeptClaim: @escaping @Sendable () throws(Problem) -> Void = {},
        deletionPatience: Duration = .seconds(2)
    ) throws {
        let own = try Directory(path: folder.path + "/state")
        _ = try Directory(path: folder.path + "/out")
        let settings = EncoderStart(
            role: .writer, writer: WriterID("w")!, createdAt: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0), idempotencyKey: "k",
            folder: folder.path + "/state", outputDirectory: folder.path + "/out", othersFolders: othersFolders, limits: limits,
            policy: outputs, serverPorts: [1], version: "0", logsRequests: false, asksForTokens: false)
        resource = WriterResource(
            settings: settings, clientPolicy: .enforced, narrow: narrow, folder: own,
            progress: ProgressMarks(try SharedMarks(slots: 1)),
            report: { [reports] message in reports.all.withLock { $0.append(message) } }, requireKeptClaim: requireKeptClaim,
            deletionPatience: deletionPatience)
    }

    /// What the gateway was told, but for snapshots and claims: how the writer ended.
    var ends: [ControlMessage] {
        reports.all.withLock { $0 }.filter {
            switch $0 {
            case .snapshot, .claim, .end: false
            default: true
            }
        }
    }

    /// What the gateway was told of the end, for the log.
    var logged: [WriterEnd] {
        reports.all.withLock { $0 }.compactMap { if case .end(let end) = $0 { end } else { nil } }
    }

    var snapshots: [WriterRecord] {
        reports.all.withLock { $0 }.compactMap { if case .snapshot(let record) = $0 { record } else { nil } }
    }

    var outputs: [String] { (try? Directory(path: folder.path + "/out").entries().sorted()) ?? [] }

    /// As it lies on disk.
    var record: WriterRecord? {
        folder.bytes("state/record.json").flatMap(WriterRecord.init(file:))
    }

    @discardableResult
    func create(_ json: String) throws -> JSONObject {
        #expect(try resource.claimCreation() == .claimed)
        return try resource.create(try JSONParser.parse(Array(json.utf8)))
    }

    /// One chunk of two samples, stereo.
    @discardableResult
    func send(_ bytes: [UInt8] = [1, 0, 2, 0, 3, 0, 4, 0], from offset: Int64? = nil) throws -> ChunkReceipt {
        let target = try resource.claimStream(0, from: offset) {}
        defer { resource.releaseStream(0) }
        let chunk = try target.writer.beginChunk(stream: 0, pts: nil)
        try bytes.withUnsafeBytes { try chunk.write($0) }
        return try chunk.finish()
    }

    static let stream = #"{"type": "audio", "sample_rate": 8000, "num_channels": 2, "format": "s16"}"#
    static let open = #"{"format": "wav", "streams": [\#(stream)], "open": true}"#
}

func problem(_ work: () throws -> Void) -> Problem? {
    do {
        try work()
        return nil
    } catch {
        return error as? Problem
    }
}
