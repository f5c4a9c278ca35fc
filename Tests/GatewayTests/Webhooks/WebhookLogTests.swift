import Foundation
import Gateway
import SystemIO
import Testing
import WriterModel

/// What is known of webhooks after a server has died.
@Suite struct WebhookLogTests {
    private let folder = TemporaryFolder()
    private let hook = WebhookTarget(url: "https://a.example.com/hook")
    private let callback = WebhookTarget(url: "https://user:pass@b.example.com/?k=\"\u{e9}", patterns: ["https://b.example.com/*"])

    private func event(_ kind: WebhookEvent.Kind, of writer: WriterID, _ id: String) -> WebhookEvent {
        WebhookEvent(id: id, kind: kind, writer: writer, createdAt: Timestamp(milliseconds: 1_700_000_000_123), body: #"{"a": "b\nc"}"#)
    }

    private func milestones(_ state: String) -> WriterMilestones {
        var told = WriterMilestones()
        _ = told.take(["state": .string(state)])
        return told
    }

    private var path: String { folder.path + "/" + WebhookLog.fileName }

    /// Killed after each byte of what it wrote: nothing that was whole is lost, and a writer's end is either entered or still
    /// watched for.
    @Test func aServerThatDiesAnywhereLosesNothingThatWasWritten() throws {
        let writer = WriterID("w")!
        let opened = milestones("open")
        let lines: [WebhookLog.Line] = [
            .watch(writer, WebhookWatch(callback: callback)),
            .event(event(.opened, of: writer, "msg_1"), targets: [hook, callback], left: [0, 1], told: opened),
            .done(event: "msg_1", target: 0),
            .event(event(.closed, of: writer, "msg_2"), targets: [hook, callback], left: [0, 1], told: opened),
            .done(event: "msg_2", target: 1), .done(event: "msg_1", target: 1), .done(event: "msg_2", target: 0),
        ]
        var ends: [Int] = []
        var log = WebhookLog(in: try Directory(path: folder.path))
        for line in lines {
            try log.append([line])
            ends.append(try Data(contentsOf: URL(fileURLWithPath: path)).count)
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        // By how many lines are whole: is it watched, and which places are left of which event?
        let expected: [(isWatched: Bool, left: [String: [Int]])] = [
            (false, [:]), (true, [:]), (true, ["msg_1": [0, 1]]), (true, ["msg_1": [1]]), (false, ["msg_1": [1], "msg_2": [0, 1]]),
            (false, ["msg_1": [1], "msg_2": [0]]), (false, ["msg_2": [0]]), (false, [:]),
        ]
        for count in 0...whole.count {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            let contents = log.load()
            // The newline is no part of what a line says.
            let known = ends.count { $0 - 1 <= count }
            let (isWatched, left) = expected[known]
            #expect((contents.watches[writer] != nil) == isWatched, "after \(count) bytes")
            #expect(Dictionary(uniqueKeysWithValues: contents.pending.map { ($0.event.id, $0.left) }) == left, "after \(count) bytes")
            if known > 1, isWatched { #expect(contents.watches[writer] == WebhookWatch(callback: callback, told: opened)) }
            if let pending = contents.pending.first(where: { $0.event.id == "msg_1" }) {
                #expect(pending.event == event(.opened, of: writer, "msg_1") && pending.targets == [hook, callback])
            }
        }
    }

    @Test func damageCostsTheLineItIsInAlone() throws {
        var log = WebhookLog(in: try Directory(path: folder.path))
        for name in ["a", "b", "c"] { try log.append([.watch(WriterID(name)!, WebhookWatch())]) }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let middle = bytes.count / 2
        bytes[middle] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let contents = log.load()
        #expect(Set(contents.watches.keys.map(\.text)) == ["a", "c"] && contents.damaged == 1)
    }

    @Test func aLongFileIsWrittenAnewAndIsTheOwnersAlone() throws {
        var log = WebhookLog(in: try Directory(path: folder.path))
        let writer = WriterID("w")!
        while !log.isLong { try log.append((0..<1_000).map { _ in .watch(writer, WebhookWatch(callback: callback)) }) }
        try log.rewrite([.watch(writer, WebhookWatch(callback: callback))])
        #expect(!log.isLong && log.load().watches == [writer: WebhookWatch(callback: callback)])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
}
