internal import CLibav

/// A libav class: the table of options of an encoder, a muxer, a filter or a context.
struct OptionClass {
    let pointer: UnsafePointer<AVClass>
    private let hasChildren: Bool

    init?(_ pointer: UnsafePointer<AVClass>?) {
        guard let pointer else { return nil }
        self.init(pointer, withChildren: true)
    }

    init(_ pointer: UnsafePointer<AVClass>, withChildren: Bool) {
        self.pointer = pointer
        hasChildren = withChildren
    }

    /// Its options, then those of the classes below it. Of a name that comes twice only the first:
    /// overlay's `shortest` and that of the class below it are one field.
    func options(for use: OptionUse) -> [Option] {
        var names: Set<String> = []
        return (own(for: use) + children.flatMap { $0.options(for: use) })
            .filter { names.insert($0.name).inserted }
    }

    var children: [OptionClass] {
        guard hasChildren else { return [] }
        var children: [OptionClass] = []
        var state: UnsafeMutableRawPointer?
        while let next = OptionClass(av_opt_child_class_iterate(pointer, &state)) { children.append(next) }
        return children
    }

    /// Only its own. Defaults are those in `object`, a context of this class, when there is one.
    func own(for use: OptionUse, defaultsIn object: UnsafeMutableRawPointer? = nil) -> [Option] {
        var values: [UnsafePointer<AVOption>] = []
        var constants: [String: [UnsafePointer<AVOption>]] = [:]
        for entry in entries {
            if OptionType(entry) != .constant {
                if use.covers(entry) { values.append(entry) }
            } else if let unit = entry.pointee.unit {
                constants[String(cString: unit), default: []].append(entry)
            }
        }
        return values.map { entry in
            let unit = entry.pointee.unit.flatMap { constants[String(cString: $0)] } ?? []
            return Option(entry, constants: unit, use: use, defaultIn: object)
        }
    }

    /// The table, which ends with an entry without a name.
    var entries: [UnsafePointer<AVOption>] {
        guard var next = pointer.pointee.option else { return [] }
        var entries: [UnsafePointer<AVOption>] = []
        while next.pointee.name != nil {
            entries.append(next)
            next += 1
        }
        return entries
    }
}

extension OptionUse {
    /// `ffmpeg -h`'s own rule, without what can only be read.
    fileprivate func covers(_ option: UnsafePointer<AVOption>) -> Bool {
        let flags = option.pointee.flags
        guard flags & AV_OPT_FLAG_READONLY == 0 else { return false }
        let audioAndVideo = AV_OPT_FLAG_AUDIO_PARAM | AV_OPT_FLAG_VIDEO_PARAM
        switch self {
        case .muxing: return flags & AV_OPT_FLAG_ENCODING_PARAM != 0
        case .filtering: return flags & (audioAndVideo | AV_OPT_FLAG_FILTERING_PARAM) != 0
        case .encoding(let media):
            let wanted = media == .audio ? AV_OPT_FLAG_AUDIO_PARAM : AV_OPT_FLAG_VIDEO_PARAM
            let named = flags & (audioAndVideo | AV_OPT_FLAG_SUBTITLE_PARAM)
            return flags & AV_OPT_FLAG_ENCODING_PARAM != 0 && (named == 0 || named & wanted != 0)
        }
    }
}

extension Option {
    fileprivate init(
        _ entry: UnsafePointer<AVOption>, constants: [UnsafePointer<AVOption>], use: OptionUse,
        defaultIn object: UnsafeMutableRawPointer?
    ) {
        let type = OptionType(entry)
        name = String(cString: entry.pointee.name)
        help = Self.help(entry)
        self.type = clibav_option_is_array(entry) != 0 ? "[\(type.name)]" : type.name
        defaultValue = OptionDefault(entry, type: type, in: object).written(as: type, constants: constants)
        // A comparison with NaN is false: no bound.
        minimum = type.range.flatMap { entry.pointee.min > $0.lowerBound ? entry.pointee.min : nil }
        maximum = type.range.flatMap { entry.pointee.max < $0.upperBound ? entry.pointee.max : nil }
        choices = constants.filter(use.covers).map { constant in
            let name = String(cString: constant.pointee.name)
            let value = type.storage == .text ? name : "\(constant.pointee.default_val.i64)"
            return Choice(name: name, value: value, help: Self.help(constant))
        }
    }

    private static func help(_ entry: UnsafePointer<AVOption>) -> String? {
        let text = entry.pointee.help.map { String(cString: $0) }
        return text?.isEmpty == true ? nil : text
    }
}
