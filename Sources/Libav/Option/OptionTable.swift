internal import CLibav

/// The options libav would set by name on a component, whatever their flags say: its own and those
/// of what it passes options on to. `ffmpeg -h` shows fewer.
package struct OptionTable: Sendable {
    package struct Entry: Sendable, Equatable {
        package let name: String
        /// The value may be any text, so a path, a URL or a command; not a number, a flag, a color
        /// or another notation that libav itself reads to its end.
        package let carriesText: Bool
    }

    package let entries: [Entry]

    package func contains(_ name: String) -> Bool { entries.contains { $0.name == name } }

    init(_ classes: [OptionClass?]) {
        entries = classes.compactMap { $0 }.flatMap(\.everything)
    }

    /// What every filter, encoder or muxer has.
    package static let filters = OptionTable([OptionClass(avfilter_get_class())?.alone])
    package static let encoders = OptionTable([OptionClass(avcodec_get_class())?.alone])
    package static let muxers = OptionTable([OptionClass(avformat_get_class())?.alone])

    package static func filter(_ name: String) -> OptionTable? {
        avfilter_get_by_name(name).map { OptionTable([OptionClass($0.pointee.priv_class)]) }
    }

    package static func encoder(_ codec: Codec) -> OptionTable {
        OptionTable([OptionClass(codec.pointer.pointee.priv_class)])
    }

    package static func muxer(_ format: OutputFormat) -> OptionTable {
        OptionTable([OptionClass(format.pointer.pointee.priv_class)])
    }

    /// By name: every protocol that can be written to, and those that can only be read from, as
    /// one may be made of another.
    package static let protocols: [String: OptionTable] = {
        var tables: [String: OptionTable] = [:]
        for isOutput: Int32 in [0, 1] {
            var state: UnsafeMutableRawPointer?
            while let name = avio_enum_protocols(&state, isOutput) {
                tables[String(cString: name)] = OptionTable([OptionClass(avio_protocol_get_class(name))])
            }
        }
        return tables
    }()
}

extension OptionClass {
    /// Without the classes below it.
    var alone: OptionClass { OptionClass(pointer, withChildren: false) }

    fileprivate var everything: [OptionTable.Entry] {
        let own = entries.compactMap { entry -> OptionTable.Entry? in
            let type = OptionType(entry)
            guard type != .constant else { return nil }
            return .init(name: String(cString: entry.pointee.name), carriesText: type.carriesText)
        }
        return own + children.flatMap(\.everything)
    }
}

extension OptionType {
    fileprivate var carriesText: Bool {
        switch self {
        // One of a later libav's: who knows.
        case .string, .dictionary, .binary, .unknown: true
        default: false
        }
    }
}
