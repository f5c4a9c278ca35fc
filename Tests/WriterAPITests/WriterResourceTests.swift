import Dispatch
import Foundation
import StreamWriter
import Synchronization
import SystemIO
import Testing
import WriterAPI
import WriterModel

/// The writer of a process, with libav and files, and without the process.
@Suite struct WriterResourceTests {
    private static let stream = WriterScene.stream

    // MARK: Creating

    struct Failure: CustomTestStringConvertible {
        let testDescription: String
        let body: String
        let code: ProblemCode
        var breaksRecord = false
        var breaksSandbox = false
        var losesGateway = false
    }

    @Test(arguments: [
        Failure(testDescription: "a body that is none", body: #"{"dst": 5}"#, code: .invalidParameter),
        Failure(testDescription: "a path that leads out", body: #"{"dst": "../a.wav"}"#, code: .forbiddenDestination),
        Failure(testDescription: "others' folder", body: #"{"dst": "others/a.wav"}"#, code: .forbiddenDestination),
        Failure(
            testDescription: "an encoder that is none",
            body: #"{"dst": "a.wav", "streams": [{"type": "audio", "sample_rate": 8000, "num_channels": 2, "encoder": "nosuch"}]}"#,
            code: .unknownEncoder),
        Failure(
            testDescription: "a rate that the muxer's encoder does not take",
            body: #"{"dst": "a.opus", "streams": [{"type": "audio", "sample_rate": 48000, "num_channels": 2, "encoder_sample_rate": 12345}]}"#,
            code: .unsupportedValue),
        Failure(
            testDescription: "what is there already", body: #"{"dst": "there.wav", "streams": [\#(stream)], "open": true}"#,
            code: .destinationExists),
        Failure(
            testDescription: "a sandbox that can't be had", body: #"{"dst": "a.wav", "streams": [\#(stream)]}"#, code: .internalError,
            breaksSandbox: true),
        Failure(
            testDescription: "a record that can't be kept", body: #"{"dst": "a.wav", "streams": [\#(stream)], "open": true}"#,
            code: .internalError, breaksRecord: true),
        Failure(
            testDescription: "a gateway that ends before it has kept the claim", body: #"{"dst": "a.wav", "streams": [\#(stream)], "open": true}"#,
            code: .serverStopped, losesGateway: true),
    ])
    func aCreationThatFailsAtAnyStepLeavesNothing(failure: Failure) throws {
        let scene = try WriterScene(
            othersFolders: ["others"],
            narrow: { _ throws(SystemError) in
                if failure.breaksSandbox { throw SystemError("confine", number: EPERM) }
            },
            requireKeptClaim: { () throws(Problem) in
                if failure.losesGateway { throw Problem(.serverStopped, "The server ended.") }
            })
        scene.folder.write("out/there.wav", "theirs")
        // Its name is taken by a folder, which no file replaces.
        if failure.breaksRecord { try FileManager.default.createDirectory(atPath: scene.folder.path + "/state/record.json", withIntermediateDirectories: false) }
        let found = problem { try scene.create(failure.body) }
        #expect(found?.code == failure.code, "\(found?.detail ?? "")")
        #expect(scene.outputs == ["there.wav"] && scene.folder.text("out/there.wav") == "theirs")
        #expect(scene.ends == [.discarded])
        #expect(!FileManager.default.fileExists(atPath: scene.folder.path + "/state/files"))
        #expect(scene.resource.settledPhase == .discarded)
        // One that waited for it is told the same, if it asked for the same.
        #expect(try scene.resource.claimCreation() == .ended)
        #expect(scene.resource.failure(ofCreationBy: try JSONParser.parse(Array(failure.body.utf8)))?.code == failure.code)
        #expect(scene.resource.failure(ofCreationBy: ["format": "wav"]) == nil)
    }

    @Test func theGatewayHasKeptTheClaimBeforeThereIsARecord() throws {
        let records = Mutex<[Bool]>([])
        let path = Mutex("")
        let scene = try WriterScene(requireKeptClaim: {
            let record = path.withLock { $0 } + "/state/record.json"
            records.withLock { $0.append(FileManager.default.fileExists(atPath: record)) }
        })
        path.withLock { $0 = scene.folder.path }
        try scene.create(WriterScene.open)
        #expect(records.withLock { $0 } == [false] && scene.record != nil)
        // What leaves nothing needs no claim.
        let trial = try WriterScene(requireKeptClaim: { () throws(Problem) in throw Problem(.serverStopped, "The server ended.") })
        #expect(try trial.resource.claimCreation() == .claimed)
        _ = try trial.resource.dryRun(try JSONParser.parse(Array(WriterScene.open.utf8)))
    }

    /// A file that was there before would be nobody's, were all processes killed in between.
    @Test(arguments: [#"{"dst": "a/b/x.wav", "streams": [\#(WriterScene.stream)]}"#, #"{"outputs": [{"name": "kept", "format": "wav"}, {"name": "x", "dst": "x.wav"}], "streams": [\#(WriterScene.stream)]}"#])
    func nothingIsMadeUnderTheOutputDirectoryBeforeTheClaimIsKept(body: String) throws {
        let path = Mutex("")
        let found = Mutex<[[String]]>([])
        let scene = try WriterScene(requireKeptClaim: {
            let folder = path.withLock { $0 } + "/out"
            found.withLock { $0.append((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []) }
        })
        path.withLock { $0 = scene.folder.path }
        try scene.create(body)
        #expect(found.withLock { $0.first } == [] && scene.outputs.count == 1)
        let refused = try WriterScene(requireKeptClaim: { () throws(Problem) in throw Problem(.noSpace, "None.") })
        #expect(throws: Problem.self) { try refused.create(body) }
        #expect(refused.outputs == [] && refused.record == nil)
    }

    @Test func aCreationIsKnownByItsBody() throws {
        let scene = try WriterScene()
        try scene.create(WriterScene.open)
        #expect(scene.resource.wasCreated(by: try JSONParser.parse(Array(WriterScene.open.utf8))))
        #expect(!scene.resource.wasCreated(by: ["format": "wav"]) && !scene.resource.wasCreated(by: nil))
        #expect(scene.record?.state == .configuring, "the first record is kept before the writer opens")
        #expect(scene.record?.idempotencyKey == "k" && scene.record?.managedFile == "output.wav" && scene.record?.mediaType == "audio/x-wav")
        #expect(scene.snapshots.map(\.state) == [.open])
    }

    @Test func aFileThatIsToBeReplacedStaysUntilTheWriterOpens() throws {
        for opens in [false, true] {
            let scene = try WriterScene()
            scene.folder.write("out/a.wav", "theirs")
            try scene.create(#"{"dst": "a.wav", "overwrite": true, "streams": [\#(Self.stream)]}"#)
            #expect(scene.folder.text("out/a.wav") == "theirs" && scene.outputs.count == 2)
            if opens {
                _ = try scene.resource.open(OpenRequest())
                #expect(scene.folder.text("out/a.wav") != "theirs")
            }
            #expect(try scene.resource.delete() == [])
            #expect(scene.outputs == (opens ? [] : ["a.wav"]))
        }
    }

    @Test func aDryRunLeavesNothingAndShowsWhatWouldBe() throws {
        let scene = try WriterScene()
        #expect(try scene.resource.claimCreation() == .claimed)
        let shown = try scene.resource.dryRun(["dst": "a.flac", "streams": .array([try JSONParser.parse(Array(Self.stream.utf8))])])
        #expect(shown["dry_run"] == true && shown["dst"] == "a.flac" && shown["format"] == "flac" && shown["id"] == nil)
        #expect(shown["streams"]?.arrayValue?.first?.objectValue?["encoder"] == "flac")
        #expect(scene.outputs.isEmpty && scene.record == nil && scene.ends == [.discarded])
        #expect(try Directory(path: scene.folder.path + "/state").entries() == [])
    }

    @Test func whatNoRequestMakesIsDiscarded() throws {
        let scene = try WriterScene()
        #expect(scene.resource.discardIfUncreated() && scene.resource.discardIfUncreated())
        #expect(scene.ends == [.discarded])
        let made = try WriterScene()
        try made.create(WriterScene.open)
        #expect(!made.resource.discardIfUncreated() && made.ends.isEmpty)
    }

    // MARK: Changes and chunks

    @Test func aChangeBesideAChunkNamesTheStream() throws {
        let scene = try WriterScene()
        try scene.create(WriterScene.open)
        #expect(scene.resource.idleTime != nil)
        _ = try scene.resource.claimStream(0, from: nil) {}
        #expect(scene.resource.idleTime == nil)
        for refused in [problem { _ = try scene.resource.flush() }, problem { _ = try scene.resource.finalize() }] {
            #expect(refused?.code == .chunkInProgress && refused?.extras == [.init("stream", 0)])
        }
        #expect(problem { _ = try scene.resource.claimStream(0, from: nil) {} }?.code == .chunkInProgress)
        scene.resource.releaseStream(0)
        _ = try scene.resource.flush()
        try scene.send()
    }

    @Test func aChunkThatTakesOverEndsTheOtherAndMustGoOnWhereThatEnded() throws {
        let scene = try WriterScene()
        try scene.create(WriterScene.open)
        try scene.send()
        let interrupted = DispatchSemaphore(value: 0)
        _ = try scene.resource.claimStream(0, from: nil) { interrupted.signal() }
        Thread.detachNewThread {
            interrupted.wait()
            scene.resource.releaseStream(0)
        }
        let refused = problem { _ = try scene.resource.claimStream(0, from: 4) {} }
        #expect(refused?.code == .offsetMismatch && refused?.offsetFields.first?.value == "8")
        #expect(try scene.send(from: 8).offset == 16)
    }

    @Test func chunksBeforeOpenAndOfNoStreamAreRefused() throws {
        let scene = try WriterScene()
        try scene.create(#"{"format": "wav", "streams": [\#(Self.stream)]}"#)
        let early = problem { _ = try scene.resource.claimStream(0, from: nil) {} }
        #expect(early?.code == .wrongState && early?.extras == [.init("state", "configuring")])
        #expect(early?.detail == "The writer is configuring; chunks need an open one: POST …/open first.")
        #expect(problem { _ = try scene.resource.finalize() }?.detail.contains("POST …/open first") == true)
        _ = try scene.resource.open(OpenRequest())
        #expect(problem { _ = try scene.resource.claimStream(1, from: nil) {} }?.code == .streamNotFound)
        let late = problem { _ = try scene.resource.setMetadata(["a": "b"]) }
        #expect(late?.detail == "The writer is open; metadata is set before open.")
    }

    @Test func whatARecordCouldNotHoldIsRefusedWhenItIsSaid() throws {
        let scene = try WriterScene()
        let long = String(repeating: "x", count: RecordBounds.descriptionBytes)
        try scene.create(#"{"format": "wav"}"#)
        let refused = problem { _ = try scene.resource.setMetadata(["title": .string(long)]) }
        #expect(refused?.code == .limitExceeded && refused?.parameter == "metadata")
        #expect(scene.resource.resource["metadata"] == .map([:]))
        _ = try scene.resource.setMetadata(["title": "short"])
        #expect(scene.resource.resource["metadata"] == ["title": "short"])
    }

    // MARK: Ends

    @Test func finalizingTwiceGivesTheSameResultAndTheGatewayIsToldOnce() throws {
        let scene = try WriterScene()
        try scene.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)], "open": true}"#)
        try scene.send()
        let closed = try scene.resource.finalize()
        #expect(try scene.resource.finalize() == closed)
        #expect(closed["state"] == "closed" && closed["result"]?.objectValue?["ended_by"] == "finalize")
        // 44 bytes of RIFF, fmt and data heads, 36 of room for RF64, libav's LIST of 34, and 8 of samples.
        #expect(closed["result"]?.objectValue?["bytes"] == .integer(Int64(scene.folder.bytes("out/a.wav")!.count)))
        #expect(Array(scene.folder.bytes("out/a.wav")!.suffix(8)) == [1, 0, 2, 0, 3, 0, 4, 0])
        #expect(scene.ends == [.concluded(.closed)])
        #expect(scene.record?.resource == closed && scene.record?.outputFiles == ["a.wav"])
        // What comes late changes nothing.
        scene.resource.fail(Problem(.encodingFailed, "late"))
        scene.resource.failWithoutWaiting(Problem(.encoderStalled, "late"))
        let refused = problem { _ = try scene.resource.delete() }
        #expect(refused?.code == .wrongState && refused?.extras == [.init("state", "closed")])
        #expect(scene.ends == [.concluded(.closed)] && scene.outputs == ["a.wav"])
        let logged = try #require(scene.logged.first)
        #expect(scene.logged.count == 1 && logged.state == .closed && logged.cause == .finalize && logged.destination == "a.wav")
        #expect(logged.bytes == closed["result"]?.objectValue?["bytes"]?.integerValue && logged.duration == 0.00025)
        #expect(logged.sha256 == closed["result"]?.objectValue?["verified"]?.objectValue?["sha256"]?.stringValue)
    }

    @Test func aFailureKeepsWhatWasWrittenOnceTheWriterWasOpen() throws {
        for opens in [false, true] {
            let scene = try WriterScene()
            try scene.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)]\#(opens ? #", "open": true"# : "")}"#)
            scene.resource.fail(Problem(.noSpace, "There is no space."))
            #expect(scene.outputs == (opens ? ["a.wav"] : []))
            #expect(scene.ends == [.concluded(.failed)])
            #expect(scene.logged.map(\.problem?.code) == [.noSpace] && scene.logged.map(\.cause) == [.error])
            #expect(scene.record?.resource["failure"]?.objectValue?["detail"] == "There is no space.")
            #expect(scene.record?.resource["encoder_pid"] == nil)
        }
    }

    @Test func aRecordThatCanNotBeKeptAtTheEndGoesToTheGateway() throws {
        let scene = try WriterScene()
        try scene.create(WriterScene.open)
        try FileManager.default.removeItem(atPath: scene.folder.path + "/state/record.json")
        try FileManager.default.createDirectory(atPath: scene.folder.path + "/state/record.json", withIntermediateDirectories: false)
        scene.resource.fail(Problem(.noSpace, "There is no space."))
        guard case .unkeptRecord(let record)? = scene.ends.first else { return #expect(Bool(false), "\(scene.ends)") }
        #expect(record.state == .failed && scene.ends.count == 1)
    }

    @Test func aStuckWriterFailsOrIsDeletedWithoutItsThread() throws {
        let failed = try WriterScene()
        try failed.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)], "open": true}"#)
        _ = try failed.resource.claimStream(0, from: nil) {}
        failed.resource.failWithoutWaiting(Problem(.encoderStalled, "stuck"))
        #expect(failed.ends == [.concluded(.failed)] && failed.resource.isAbandoned && failed.outputs == ["a.wav"])
        // The thread comes back after all.
        failed.resource.releaseStream(0)
        failed.resource.fail(Problem(.encodingFailed, "late"))
        #expect(failed.record?.resource["failure"]?.objectValue?["detail"] == "stuck")
        #expect(failed.logged.map(\.cause) == [.stall])
        #expect(failed.record?.resource["upload"] == "interrupted")

        let deleted = try WriterScene()
        try deleted.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)], "open": true}"#)
        // A chunk that does not end in the two seconds that a deletion waits.
        _ = try deleted.resource.claimStream(0, from: nil) {}
        #expect(try deleted.resource.delete() == [])
        #expect(deleted.ends == [.discarded] && deleted.resource.isAbandoned && deleted.outputs.isEmpty)
        #expect(deleted.logged.map(\.state) == [.deleted] && deleted.logged.map(\.cause) == [.delete])

        let unmade = try WriterScene()
        #expect(try unmade.resource.claimCreation() == .claimed)
        unmade.resource.failWithoutWaiting(Problem(.encoderStalled, "stuck"))
        #expect(unmade.ends == [.discarded] && unmade.record == nil)
        #expect(problem { _ = try unmade.resource.create(["format": "wav"]) } != nil)
        #expect(unmade.ends == [.discarded])
    }

    @Test func aWriterThatNoRequestHasMadeYetIsDeleted() throws {
        let scene = try WriterScene()
        #expect(try scene.resource.delete() == [])
        #expect(scene.ends == [.discarded])
        #expect(try scene.resource.claimCreation() == .ended)
    }

    @Test func aDeletionEndsAChunkThatIsBeingEncodedAndLeavesNothing() throws {
        let scene = try WriterScene(deletionPatience: .seconds(60))
        try scene.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)], "open": true}"#)
        let interrupted = DispatchSemaphore(value: 0)
        let target = try scene.resource.claimStream(0, from: nil) { interrupted.signal() }
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            interrupted.wait()
            // It goes on until what it is at fails.
            while (try? target.writer.beginChunk(stream: 0, pts: nil).finish()) != nil { usleep(1_000) }
            scene.resource.releaseStream(0)
            ended.signal()
        }
        #expect(try scene.resource.delete() == [] && scene.resource.isBeingDeleted)
        ended.wait()
        #expect(scene.ends == [.discarded] && scene.outputs.isEmpty && !scene.resource.isAbandoned)
    }

    // MARK: What is shown

    @Test func secretsAreShownNeitherInGETNorInProblemsNorInRecords() throws {
        let scene = try WriterScene(outputs: OutputPolicy(patterns: ["srt://example.com:9000"]))
        let secrets = ["hunter2", "s3cr3t"]
        try scene.create(
            #"""
            {"dst": "srt://user:hunter2@example.com:9000?passphrase=s3cr3thunter2", "format": "mpegts",
             "streams": [{"type": "audio", "sample_rate": 48000, "num_channels": 2, "encoder": "mp2"}]}
            """#)
        let problem = scene.resource.redacted(
            Problem(.destinationFailed, "srt://user:hunter2@example.com:9000?passphrase=s3cr3thunter2: refused", log: ["passphrase s3cr3thunter2"]))
        scene.resource.fail(problem)
        let shown = [
            JSONValue.object(scene.resource.resource), scene.snapshots.last?.json, scene.record?.json, problem.json,
        ].compactMap { $0 }.map { String(decoding: $0.encoded, as: UTF8.self) }
        #expect(shown.count == 4)
        for text in shown {
            #expect(text.contains("example.com"), "what is no secret is shown: \(text)")
            for secret in secrets { #expect(!text.contains(secret), "\(text)") }
        }
    }

    @Test func problemsOfADestinationNameIt() throws {
        let scene = try WriterScene()
        try scene.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)]}"#)
        #expect(scene.resource.redacted(Problem(.destinationFailed, "It broke.")).detail == "a.wav: It broke.")
        #expect(scene.resource.redacted(Problem(.destinationFailed, "a.wav broke.")).detail == "a.wav broke.")
        #expect(scene.resource.redacted(Problem(.encodingFailed, "It broke.")).detail == "It broke.")
    }

    /// A writer of ten thousand files says as much each second as one of none.
    @Test func messagesDoNotGrowWithAWritersFiles() throws {
        let scene = try WriterScene()
        try scene.create(#"{"dst": "a.wav", "streams": [\#(Self.stream)], "open": true}"#)
        #expect(scene.resource.snapshot.outputFiles.isEmpty && scene.resource.record.outputFiles == ["a.wav"])
        let few = ControlMessage.snapshot(scene.resource.snapshot).encoded.count
        var record = scene.resource.record
        record.outputFiles = (0..<10_000).map { "show/\(String(repeating: "n", count: 60))\($0).ts" }
        record.resource["result"] = ["bytes": 1, "files": .array(record.outputFiles.map { .string($0) })]
        #expect(record.json.encoded.count > 1_000_000)
        for message in [ControlMessage.snapshot(record), .unkeptRecord(record)] {
            #expect(message.encoded.count < few + 100 && message.encoded.count < MessageSocket.maxMessageBytes / 50)
        }
    }
}
