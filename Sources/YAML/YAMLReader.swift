import Bytewise
import CLibYAML

/// Reads the one document of a file by libyaml: mappings, sequences and scalars of any style. Anchors, aliases and
/// tags are refused: a file of settings needs none, and aliases let a short file be a large one.
public struct YAMLReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// Of mappings and sequences within each other.
    private static let mostLevels = 16

    /// nil: there is no document, or an empty one.
    public static func read(_ bytes: [UInt8]) throws(YAMLFlaw) -> YAMLNode? {
        let reader = YAMLReader()
        // libyaml takes a byte order mark for text where it is told the encoding.
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        // libyaml keeps the pointer for as long as it reads.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        _ = input.initialize(from: bytes)
        defer {
            input.update(repeating: 0)
            input.deallocate()
        }
        yaml_parser_set_encoding(reader.parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(reader.parser, input.baseAddress, bytes.count)
        return try reader.document()
    }

    private init() {
        parser = .allocate(capacity: 1)
        precondition(yaml_parser_initialize(parser) == 1, "out of memory")
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private func document() throws(YAMLFlaw) -> YAMLNode? {
        // The stream's start, and the document's or the stream's end.
        _ = try next()
        guard try next().type == YAML_DOCUMENT_START_EVENT else { return nil }
        let node = try node(from: try next(), level: 0)
        // The document's end.
        _ = try next()
        let after = try next()
        if after.type != YAML_STREAM_END_EVENT { throw YAMLFlaw(mark: after.mark, reason: "a second document begins here; a file has one") }
        return node
    }

    private func node(from event: Event, level: Int) throws(YAMLFlaw) -> YAMLNode {
        if level > Self.mostLevels { throw YAMLFlaw(mark: event.mark, reason: "lists and mappings are within each other too often") }
        if event.type == YAML_ALIAS_EVENT { throw YAMLFlaw(mark: event.mark, reason: "aliases (*NAME) are not taken: write the value itself") }
        if event.hasAnchor { throw YAMLFlaw(mark: event.mark, reason: "anchors (&NAME) are not taken: write the value where it is meant") }
        if event.hasTag { throw YAMLFlaw(mark: event.mark, reason: "tags (!NAME) are not taken: write the value alone") }
        // What the kernel and libav are given ends at it.
        if event.text.utf8.contains(0) { throw YAMLFlaw(mark: event.mark, reason: "a NUL character (\\0) stands in this text, which no setting can have") }
        switch event.type {
        case YAML_SEQUENCE_START_EVENT: return YAMLNode(content: .sequence(try items(level)), mark: event.mark)
        case YAML_MAPPING_START_EVENT: return YAMLNode(content: .mapping(try members(level)), mark: event.mark)
        default: return YAMLNode(content: event.isNull ? .null : .scalar(event.text), mark: event.mark)
        }
    }

    private func items(_ level: Int) throws(YAMLFlaw) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if event.type == YAML_SEQUENCE_END_EVENT { return items }
            items.append(try node(from: event, level: level + 1))
        }
    }

    private func members(_ level: Int) throws(YAMLFlaw) -> [(key: YAMLNode, value: YAMLNode)] {
        var members: [(key: YAMLNode, value: YAMLNode)] = []
        while true {
            let event = try next()
            if event.type == YAML_MAPPING_END_EVENT { return members }
            let key = try node(from: event, level: level + 1)
            members.append((key, try node(from: try next(), level: level + 1)))
        }
    }

    /// What is used of an event of libyaml's.
    private struct Event {
        let type: yaml_event_type_t
        let mark: YAMLMark
        var text = ""
        var isNull = false
        let hasAnchor: Bool
        let hasTag: Bool

        init(_ event: inout yaml_event_t) {
            type = event.type
            mark = YAMLMark(event.start_mark)
            hasAnchor = clibyaml_anchor(&event) != nil
            hasTag = clibyaml_tag(&event) != nil
            guard type == YAML_SCALAR_EVENT, let bytes = clibyaml_scalar(&event) else { return }
            text = String(decoding: UnsafeBufferPointer(start: bytes, count: clibyaml_scalar_length(&event)), as: UTF8.self)
            isNull = clibyaml_scalar_is_plain(&event) != 0 && ["", "~", "null", "Null", "NULL"].contains { text.isSame(as: $0) }
        }
    }

    private func next() throws(YAMLFlaw) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw flaw }
        defer { yaml_event_delete(&event) }
        return Event(&event)
    }

    /// What libyaml says, with what it was at, if that began elsewhere.
    private var flaw: YAMLFlaw {
        guard let problem = parser.pointee.problem else { return YAMLFlaw(mark: YAMLMark(parser.pointee.mark), reason: "there is no memory to read it") }
        let words = String(cString: problem)
        if parser.pointee.error == YAML_READER_ERROR {
            return YAMLFlaw(mark: YAMLMark(parser.pointee.mark), reason: "this is no text: \(words)")
        }
        guard let context = parser.pointee.context else { return YAMLFlaw(mark: YAMLMark(parser.pointee.problem_mark), reason: words) }
        let began = YAMLMark(parser.pointee.context_mark), mark = YAMLMark(parser.pointee.problem_mark)
        let place = began.line == mark.line ? "" : " (from line \(began.line))"
        return YAMLFlaw(mark: mark, reason: "\(words), \(String(cString: context))\(place)")
    }
}

extension YAMLMark {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}
