internal import CLibav
import Glibc

/// A description of filters taken apart as libav's graph parser does it, without making any: libav
/// makes each filter as it reads it, and `movie` has then opened its file.
package struct FilterDescription: Sendable {
    package struct Use: Sendable, Equatable {
        package let filter: String
        /// "crop@left", where the description gives it a name.
        package let instance: String?
        package let arguments: String

        /// In the order they are set; a name may come twice.
        package func options() throws(LibavError) -> [Option] {
            try FilterDescription.options(arguments, of: filter)
        }
    }

    package struct Option: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    /// The filters libav makes of it, in its order.
    package let uses: [Use]
    /// What every scale filter is given that says no flags: "flags=bicubic" of "sws_flags=bicubic;".
    package let scaleArguments: String?

    package init(_ text: String) throws(LibavError) {
        // By way of a Result: Swift 6.3 miscompiles some closures with typed throws.
        let reader = try text.withCString { start -> Result<DescriptionReader, LibavError> in
            do throws(LibavError) {
                return .success(try DescriptionReader(start))
            } catch {
                return .failure(error)
            }
        }.get()
        uses = reader.uses
        scaleArguments = reader.scaleArguments
    }
}

/// Reads a whole description.
private struct DescriptionReader {
    private(set) var uses: [FilterDescription.Use] = []
    private(set) var scaleArguments: String?
    private var text: TextCursor

    init(_ start: UnsafePointer<CChar>) throws(LibavError) {
        text = TextCursor(start)
        try readScaleArguments()
        try readUses()
    }

    private mutating func readScaleArguments() throws(LibavError) {
        text.skip(TextCursor.whitespace)
        guard text.stands(at: "sws_flags=") else { return }
        text.skip(count: "sws_".utf8.count)
        // Without quotes or escapes.
        let arguments = text.read(until: ";")
        guard text.stands(at: ";") else { throw Self.error("sws_flags has no \";\" at its end") }
        text.skip(count: 1)
        scaleArguments = arguments
    }

    private mutating func readUses() throws(LibavError) {
        while true {
            text.skip(TextCursor.whitespace)
            // "hflip,": FFmpeg 5.1 refuses it, FFmpeg 7 reads no further filter.
            if text.isAtEnd && !uses.isEmpty { return }
            try skipLabels()
            uses.append(try readFilter())
            try skipLabels()
            text.skip(TextCursor.whitespace)
            if text.isAtEnd { return }
            guard text.stands(at: ",") || text.stands(at: ";") else {
                throw Self.error("\"\(text.rest)\" is where a filter should have ended")
            }
            text.skip(count: 1)
        }
    }

    private mutating func skipLabels() throws(LibavError) {
        while text.stands(at: "[") {
            text.skip(count: 1)
            let label = try text.token(until: "]")
            guard !label.isEmpty, text.stands(at: "]") else { throw Self.error("a link label has no name or no end") }
            text.skip(count: 1)
            text.skip(TextCursor.whitespace)
        }
    }

    private mutating func readFilter() throws(LibavError) -> FilterDescription.Use {
        let name = try text.token(until: "=,;[")
        var arguments: String?
        if text.stands(at: "=") {
            text.skip(count: 1)
            arguments = try text.token(until: "[],;")
        }
        let (filter, instance) = Self.split(name)
        if filter == "scale", let scaleArguments, arguments.map({ strstr($0, "flags") == nil }) ?? true {
            arguments = arguments.map { "\($0):\(scaleArguments)" } ?? scaleArguments
        }
        return .init(filter: filter, instance: instance, arguments: arguments ?? "")
    }

    /// "crop@left" is the filter crop, and so is "crop@" from FFmpeg 6 on. Before that there is no such filter, nor
    /// one whose "@" stands behind the 29th byte.
    private static func split(_ name: String) -> (filter: String, instance: String?) {
        let bytes = name.utf8
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { return (name, nil) }
        return (String(decoding: bytes[..<at], as: UTF8.self), name)
    }

    static func error(_ what: String) -> LibavError {
        .invalid("parsing the filters: \(what)")
    }
}

extension FilterDescription {
    /// What arguments say of a filter: values for options in the order of its table, then named
    /// options. A value behind a named option is refused: versions of libav differ in which option
    /// that is for.
    package static func options(_ arguments: String, of filter: String) throws(LibavError) -> [Option] {
        try arguments.withCString { start -> Result<[Option], LibavError> in
            do throws(LibavError) {
                return .success(try options(start, Shorthand.all(of: filter)))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private static func options(
        _ start: UnsafePointer<CChar>, _ shorthands: [String]
    ) throws(LibavError) -> [Option] {
        var options: [Option] = []
        var cursor: UnsafePointer<CChar>? = start
        var unnamed = shorthands[...]
        while cursor!.pointee != 0 {
            let shorthand = unnamed.popFirst()
            let (key, value) = try keyAndValue(&cursor, mayOmitKey: shorthand != nil)
            if cursor!.pointee != 0 { cursor! += 1 }
            if key != nil { unnamed = [] }
            options.append(.init(name: key ?? shorthand!, value: value))
        }
        return options
    }

    private static func keyAndValue(
        _ cursor: inout UnsafePointer<CChar>?, mayOmitKey: Bool
    ) throws(LibavError) -> (key: String?, value: String) {
        var key: UnsafeMutablePointer<CChar>?
        var value: UnsafeMutablePointer<CChar>?
        let flags = mayOmitKey ? UInt32(AV_OPT_FLAG_IMPLICIT_KEY) : 0
        guard av_opt_get_key_value(&cursor, "=", ":", flags, &key, &value) >= 0 else {
            throw DescriptionReader.error(
                "\"\(String(cString: cursor!))\" needs the name of an option, as there is no next one, or a named one stands before it")
        }
        defer {
            av_free(key)
            av_free(value)
        }
        return (key.map { String(cString: $0) }, String(cString: value!))
    }
}

private enum Shorthand {
    /// The options that values without names are for, in order. Of several names of one option,
    /// which have one offset, the first.
    static func all(of filter: String) -> [String] {
        guard let table = OptionClass(avfilter_get_by_name(filter)?.pointee.priv_class) else { return [] }
        var names: [String] = []
        var offset: Int32?
        for entry in table.entries where OptionType(entry) != .constant && entry.pointee.offset != offset {
            offset = entry.pointee.offset
            names.append(String(cString: entry.pointee.name))
        }
        return names
    }
}
