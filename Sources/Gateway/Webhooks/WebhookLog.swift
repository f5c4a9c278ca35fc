import Bytewise
import SystemIO
import WriterModel

/// What is to be sent, and of which writers more is to come, in one file of the state directory: a line for each thing that
/// happens, with a checksum. It is written anew when it has become long. One thread uses it.
///
/// An event and the end of its writer's watch are one line: whenever the server dies, a writer's end was either entered, or
/// is found when the server starts again, as the writer is still watched.
package struct WebhookLog {
    package enum Line: Sendable, Equatable {
        case watch(WriterID, WebhookWatch)
        /// There is no such writer, or nothing is to be told of it.
        case forget(WriterID)
        /// `left`: the places in `targets` of those that have not got it. `told`: of its writer, from here on.
        case event(WebhookEvent, targets: [WebhookTarget], left: [Int], told: WriterMilestones)
        /// That target has got it, or never will.
        case done(event: String, target: Int)
    }

    /// What a file's lines come to.
    package struct Contents: Sendable {
        package struct Pending: Sendable {
            package let event: WebhookEvent
            package let targets: [WebhookTarget]
            package fileprivate(set) var left: [Int]
        }

        package fileprivate(set) var watches: [WriterID: WebhookWatch] = [:]
        /// In the order that they happened.
        package fileprivate(set) var pending: [Pending] = []
        /// Lines that are damaged, and were passed over.
        package fileprivate(set) var damaged = 0

        /// There is anything to go on with, or to tidy up.
        package var isAny: Bool { !watches.isEmpty || !pending.isEmpty || damaged > 0 }
    }

    package static let fileName = "webhooks"
    /// Bytes beyond twice what counts, before the file is written anew.
    private static let slack = 64 * 1_024

    private let folder: Directory
    private var bytes = 0
    private var bytesThatCount = 0
    /// The file lacks lines.
    package private(set) var isBehind = false

    package init(in folder: Directory) { self.folder = folder }

    /// All lines there are. `rewrite` is to follow: the last line may be half of one.
    package func load() -> Contents {
        var reading = Reading()
        for line in ((try? folder.readFile(Self.fileName)) ?? []).split(separator: UInt8(ascii: "\n")) {
            if let line = Line(line) { reading.take(line) } else { reading.contents.damaged += 1 }
        }
        return reading.finished
    }

    package mutating func append(_ lines: [Line]) throws(SystemError) {
        if lines.isEmpty { return }
        let text = lines.flatMap(\.bytes)
        do throws(SystemError) {
            try folder.append(text, to: Self.fileName)
            bytes += text.count
        } catch {
            isBehind = true
            throw error
        }
    }

    /// It has lines that no longer count.
    package var isStale: Bool { bytes > bytesThatCount }
    package var isLong: Bool { bytes > 2 * bytesThatCount + Self.slack }

    /// Makes the file anew of the lines that count.
    package mutating func rewrite(_ lines: [Line]) throws(SystemError) {
        let text = lines.flatMap(\.bytes)
        do throws(SystemError) {
            try folder.writeAtomically(Self.fileName, text)
        } catch {
            isBehind = true
            throw error
        }
        (bytes, bytesThatCount, isBehind) = (text.count, text.count, false)
    }

    private struct Reading {
        var contents = Contents()
        /// In `contents.pending`, by their ids.
        private var places: [String: Int] = [:]

        mutating func take(_ line: Line) {
            switch line {
            case .watch(let writer, let watch): contents.watches[writer] = watch
            case .forget(let writer): contents.watches[writer] = nil
            case .event(let event, let targets, let left, let told):
                if event.kind.isEnd { contents.watches[event.writer] = nil } else { contents.watches[event.writer, default: WebhookWatch()].told = told }
                places[event.id] = contents.pending.count
                contents.pending.append(.init(event: event, targets: targets, left: left.filter(targets.indices.contains)))
            case .done(let event, let target):
                if let place = places[event] { contents.pending[place].left.removeAll { $0 == target } }
            }
        }

        var finished: Contents {
            var contents = contents
            contents.pending.removeAll { $0.left.isEmpty }
            return contents
        }
    }
}

// As text: JSON, in a line with a checksum.
extension WebhookLog.Line {
    fileprivate var bytes: [UInt8] { CheckedLine.bytes(of: json.encoded) }

    fileprivate init?(_ line: ArraySlice<UInt8>) {
        guard let text = line.withUnsafeBytes({ CheckedLine.text(of: $0).map { Array($0) } }), let object = (try? JSONParser.parse(text))?.objectValue
        else { return nil }
        self.init(object)
    }

    private var json: JSONValue {
        switch self {
        case .watch(let writer, let watch):
            var object: JSONObject = ["watch": .string(writer.key), "told": watch.told.json]
            object["callback"] = watch.callback?.json
            return .object(object)
        case .forget(let writer): return ["forget": .string(writer.key)]
        case .event(let event, let targets, let left, let told):
            return [
                "event": .string(event.id), "type": .string(event.kind.rawValue), "writer": .string(event.writer.key),
                "at": .integer(event.createdAt.milliseconds), "body": .string(event.body), "targets": .array(targets.map(\.json)),
                "left": .array(left.map { .integer(Int64($0)) }), "told": told.json,
            ]
        case .done(let event, let target): return ["done": .string(event), "target": .integer(Int64(target))]
        }
    }

    private init?(_ object: JSONObject) {
        func writer(_ name: String) -> WriterID? { object[name]?.stringValue.flatMap(WriterID.init(key:)) }
        if let writer = writer("watch"), let told = object["told"].flatMap(WriterMilestones.init(json:)) {
            self = .watch(writer, WebhookWatch(callback: object["callback"].flatMap(WebhookTarget.init(json:)), told: told))
        } else if let writer = writer("forget") {
            self = .forget(writer)
        } else if let id = object["event"]?.stringValue, let kind = object["type"]?.stringValue.flatMap(WebhookEvent.Kind.init(rawValue:)),
            let writer = writer("writer"), let at = object["at"]?.integerValue, let body = object["body"]?.stringValue,
            let targets = object["targets"]?.arrayValue?.map(WebhookTarget.init(json:)), !targets.contains(nil),
            let left = object["left"]?.arrayValue?.compactMap(\.integerValue), let told = object["told"].flatMap(WriterMilestones.init(json:))
        {
            let event = WebhookEvent(id: id, kind: kind, writer: writer, createdAt: Timestamp(milliseconds: at), body: body)
            self = .event(event, targets: targets.compactMap { $0 }, left: left.map { Int(clamping: $0) }, told: told)
        } else if let id = object["done"]?.stringValue, let target = object["target"]?.integerValue {
            self = .done(event: id, target: Int(clamping: target))
        } else {
            return nil
        }
    }
}
