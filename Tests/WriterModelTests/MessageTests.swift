import Testing
import WriterModel

@Suite struct MessageTests {
    static let writer = WriterID("w_1")!
    static let record = WriterRecord(
        resource: ["id": "w_1", "state": "open", "created_at": "2024-02-29T00:00:00.000Z", "streams": [["offset": 12]]],
        managedFile: "output.mp4", outputFiles: ["a/b.mp4"], mediaType: "video/mp4", creationFingerprint: "ff")

    static func settings(asksForTokens: Bool, owner: String? = nil) -> EncoderStart {
        var limits = ServiceLimits()
        limits.maxWriters = 7
        limits.bodyTimeout = 0.25
        limits.maxEncoderMemory = 5 << 30
        limits.maxOutputBytes = 9 << 20
        return start(limits, asksForTokens: asksForTokens, owner: owner)
    }

    static func start(_ limits: ServiceLimits, asksForTokens: Bool = false, owner: String? = nil) -> EncoderStart {
        var policy = OutputPolicy(patterns: ["srt://*:9000"], allowsDevices: true, stores: ["a"])
        policy.locate([StoreSettings(name: "a", fields: ["bucket": "b"], endpoint: "https://h:443")])
        return EncoderStart(
            role: .writer, writer: writer.owned(by: owner), createdAt: Timestamp(secondsSinceEpoch: 1, nanoseconds: 0),
            idempotencyKey: "k 1", folder: "/state/w_1", outputDirectory: "/out \"é\"", ownersFolder: owner.map { $0 + "/é" },
            othersFolders: owner == nil ? [] : ["beta", "g/é"], limits: limits,
            policy: policy, serverPorts: [1, 65_535], requiresSandbox: true, version: "1.2.3",
            logsRequests: true, asksForTokens: asksForTokens)
    }

    static let several = OutputClaim(of: [.file("a/é.mp4"), .nothing, .managed("output.b.mp4"), .folder("show")])

    @Test func aClaimIsOnlyExtendedByFilesInTheWritersOwnFolder() {
        let first = OutputClaim.file("a/\u{e9}.mp4")
        #expect(first.adding(managed: "output.b.mp4").extends(first))
        #expect(Self.several.adding(managed: "output.c.mp4").extends(Self.several) && Self.several.adding(managed: "output.c.mp4").isValid)
        let others: [OutputClaim] = [
            first, .file("b.mp4"), .several([first, .file("b.mp4")]), .several([first, .folder("b")]), .several([.managed("output.b.mp4"), first]),
            // The same text in other bytes is another file.
            .several([.file("a/e\u{301}.mp4"), .managed("output.b.mp4")]), .several([first, .managed("output.b.mp4"), .managed("output.b.mp4")]),
            .several([first, .managed("../x")]),
        ]
        for claim in others { #expect(!claim.extends(first), "\(claim)") }
    }

    @Test func aCarrierHasTheKeysOfTheStoreThatItWritesToAndOfNoOther() {
        let stores = ["one", "two"].map { StoreSettings(name: $0, fields: ["secret_key": "k\($0)"], endpoint: "https://s3.example.com") }
        var settings = Self.start(ServiceLimits())
        settings.policy = OutputPolicy(stores: ["one"])
        #expect(settings.ofCarrier(stores, to: "one", caFile: nil).stores.map(\.name) == ["one"])
        for other in [nil, "two", "three"] { #expect(settings.ofCarrier(stores, to: other, caFile: nil).stores.isEmpty) }
    }

    @Test func aClaimOfSeveralOutputsIsWhatEachOfThemClaims() {
        #expect(["a/é.mp4", "show/live.ts"].allSatisfy(Self.several.holds) && !Self.several.holds("a/other.mp4"))
        #expect(Self.several.files == ["a/é.mp4"] && Self.several.managedFiles == ["output.b.mp4"])
        #expect(Self.several.mayNeed(folder: "a") && Self.several.mayNeed(folder: "show/x") && !Self.several.mayNeed(folder: "b"))
        let inside = Self.several.inside("acme")
        #expect(inside.files == ["acme/a/é.mp4"] && inside.lies(in: "acme") && !Self.several.lies(in: "acme"))
        #expect(OutputClaim(of: [.file("a")]) == .file("a"))
        let one = OutputClaim.file("a").json
        let bad: [JSONValue] = [[], .array([one]), [Self.several.json, one], [one, ["kind": "file", "path": "../a"]], [one, 1]]
        for outputs in bad { #expect(OutputClaim(json: ["kind": "several", "outputs": outputs]) == nil, "\(outputs)") }
    }

    static let messages: [ControlMessage] = [
        .start(settings(asksForTokens: false)), .start(settings(asksForTokens: true)), .start(settings(asksForTokens: true, owner: "acme")),
        .connection(unread: [], passes: 0, slot: 0), .connection(unread: [0, 255, 13, 10], passes: 255, slot: 4_095),
        .returned(unread: [], passes: 1, slot: 256), .returned(unread: [1, 2], passes: 0, slot: 255), .released(slot: 1, isBroken: false), .released(slot: 1_000_000, isBroken: true), .tokens(.empty),
        .callback(url: "https://u:p@a.example.com/?k=\u{e9}"), .carrier(number: 0), .carrier(number: 0x0102_0304), .carrier(number: .max), .carrier(number: 7, store: "archive-2"), .shutDown, .ping, .snapshot(record.withoutFiles), .concluded(.closed), .concluded(.failed), .unkeptRecord(record.withoutFiles), .discarded,
        .claimReceipt(.kept), .claimReceipt(.noSpace), .claimReceipt(.notKept), .claim(.nothing), .claim(.managed("output.mp4")), .claim(.file("a/é.mp4")), .claim(.folder("")), .claim(.folder("a b/c")), .claim(several), .metrics(counts), .metrics(MetricCounts()),
    ]

    static let counts: MetricCounts = {
        var counts = MetricCounts()
        counts.answers = [.init(route: "a", status: 200): 3, .init(route: "a", status: 200, outcome: .failed): 2, .init(route: "b", status: 499, outcome: .cut): 1]
        counts.problems = ["not-found": 4]
        counts.failures = ["no-space": 1]
        counts.tallies = [.audioBytesReceived: 9, .uploadsCut: 2]
        counts.durations["a", default: DurationHistogram()].add(0.25)
        counts.queueWaits.add(70)
        counts.framesTaken = 5
        counts.cpuSeconds = 1.5
        return counts
    }()

    @Test(arguments: messages)
    func aControlMessageArrivesAsItWas(message: ControlMessage) { #expect(ControlMessage(message.encoded) == message) }

    @Test func bytesThatAreNoMessageAreNone() {
        for bytes: [UInt8] in [[], [0], [99], [1], [1, 0x7B, 0x7D], [5, 0x5B], [3], [2], [6], [6, 0x78], [14], [14, 3], [14, 0, 0], [16], [16, 0, 0, 0], [16, 0, 0, 0, 0, 0]] { #expect(ControlMessage(bytes) == nil) }
    }

    @Test func listsOfFilesGoInNoMessage() throws {
        var record = Self.record
        record.resource["result"] = ["bytes": 1, "files": ["a/b.mp4"]]
        for message in [ControlMessage.snapshot(record), .unkeptRecord(record)] {
            let text = String(decoding: message.encoded, as: UTF8.self)
            #expect(!text.contains("a/b.mp4") && text.contains("\"bytes\":1"))
        }
        #expect(WriterRecord(json: record.json) == record)
    }

    @Test(arguments: [
        OutputClaim.managed("record.json"), .managed("output.a/b"), .managed("../output.x"), .managed(""), .file(""), .file("/a"), .file("a/../b"),
        .file(".."), .file("a//b"), .file("./a"), .file("a/"), .file("a\0b"), .folder("/"), .folder("a/.."), .folder("."),
        .file(String(repeating: "x", count: 256)), .file(String(repeating: "x/", count: 2_100) + "x"),
    ])
    func aClaimBeyondWhatAWriterHasIsNone(claim: OutputClaim) {
        #expect(!claim.isValid)
        #expect(OutputClaim(json: claim.json) == nil)
    }

    @Test func aClaimHoldsWhatLiesInIt() {
        // The KELVIN SIGN and "K", and "é" composed and not, are other names to the kernel.
        #expect(OutputClaim.file("d/K0.ts").holds("d/K0.ts") && !OutputClaim.file("d/K0.ts").holds("d/\u{212A}0.ts"))
        #expect(!OutputClaim.file("\u{E9}").holds("e\u{301}") && !OutputClaim.folder("\u{E9}").holds("e\u{301}/x"))
        for path in ["d/a", "d/e/f", "d/..a"] { #expect(OutputClaim.folder("d").holds(path), "\(path)") }
        for path in ["d", "d/", "dx/a", "a", "d/../a", "/d/a", "d/./a", "../\u{301}d/a", ""] { #expect(!OutputClaim.folder("d").holds(path), "\(path)") }
        #expect(OutputClaim.folder("").holds("a/b") && !OutputClaim.folder("").holds("../a") && !OutputClaim.folder("").holds("/a"))
        for claim in [OutputClaim.nothing, .managed("output.x")] { #expect(!claim.holds("output.x")) }
    }

    @Test func noClientsIDIsTheCatalogs() {
        #expect(WriterID(WriterID.catalog.text) == nil)
        #expect(WriterID(key: WriterID.catalog.text) == .catalog && WriterID(key: "catalog") == WriterID("catalog"))
        #expect(WriterID("catalog") != .catalog)
        #expect(ForkMessage(ForkMessage.forked(.encoder(.catalog), process: 3).encoded) == .forked(.encoder(.catalog), process: 3))
    }

    /// An encoder that asks for no token lets everybody in: only a plain false may say so.
    @Test func settingsThatDoNotSayWhetherTokensAreAskedForAreNone() throws {
        let message = ControlMessage.start(Self.settings(asksForTokens: true)).encoded
        let text = String(decoding: message.dropFirst(), as: UTF8.self)
        for replacement in ["", ",\"asks_for_tokens\":null", ",\"asks_for_tokens\":0", ",\"asks_for_tokens\":\"true\""] {
            let changed = text.replacing(",\"asks_for_tokens\":true", with: replacement)
            #expect(changed != text)
            #expect(ControlMessage([message[0]] + Array(changed.utf8)) == nil)
        }
    }

    @Test(arguments: [
        ForkMessage.fork(.encoder(writer)), .fork(.encoder(writer.owned(by: "acme"))), .forked(.encoder(writer.owned(by: "acme")), process: 9),
        .forked(.encoder(writer), process: 12), .fork(.carrier(writer, serial: 1)), .fork(.carrier(writer.owned(by: "acme"), serial: .max)),
        .fork(.webhooks(serial: 1)), .forked(.webhooks(serial: .max), process: 9),
        .forked(.carrier(writer, serial: 0), process: 9), .forkFailed(.carrier(writer, serial: 3), reason: "fork: no memory"), .ended(process: 12, waitStatus: 139),
        .forkFailed(.encoder(writer), reason: "fork: no memory, and so on"), .forkFailed(.encoder(writer), reason: ""),
        .forkFailed(.encoder(writer), reason: " x "),
    ])
    func aForkMessageArrivesAsItWas(message: ForkMessage) { #expect(ForkMessage(message.encoded) == message) }

    @Test(arguments: ["", "fork", "fork ../x", "forked w", "forked w x", "ended 1", "ended x 1", "spawn w", "fork w x y", "fork w#", "fork #", "fork w#-1", "fork w#+1", "fork w#1#2", "fork w#18446744073709551616",
        "forked w#x 1", "failed w#1.5 x",
    ])
    func isNoForkMessage(text: String) { #expect(ForkMessage(Array(text.utf8)) == nil) }

    @Test func aRecordIsReadAsItWasWritten() throws {
        #expect(WriterRecord(json: try JSONParser.parse(Self.record.json.encoded)) == Self.record)
        #expect(WriterRecord(json: ["version": 2]) == nil)
        #expect(Self.record.state == .open)
    }

    @Test func aFailedRecordSaysWhyAndWhen() {
        let failed = Self.record.failed(with: Problem(.encoderCrashed, "x"), at: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0))
        #expect(failed.state == .failed)
        #expect(failed.resource["ended_at"] == "1970-01-01T00:00:00.000Z")
        #expect(failed.resource["failure"]?.objectValue?["status"] == 500)
        #expect(failed.outputFiles == Self.record.outputFiles)
    }
}
