import Libav

/// What libav would make of options and filters, found out without making anything: for judging
/// what a client asks for before libav acts on it.
public enum OptionInspection {
    public enum Component: Sendable, Hashable {
        /// By their names.
        case filter(String), encoder(String), muxer(String), proto(String)
        /// What all of a kind have in common.
        case everyFilter, everyEncoder, everyMuxer
    }

    /// The names of a component's options that libav would set, and whether each takes any text;
    /// nil when there is no such component.
    public static func options(of component: Component) -> [String: Bool]? {
        table(component).map { table in
            Dictionary(table.entries.map { ($0.name, $0.carriesText) }, uniquingKeysWith: { $0 || $1 })
        }
    }

    private static func table(_ component: Component) -> OptionTable? {
        switch component {
        case .filter(let name): OptionTable.filter(name)
        case .encoder(let name): Codec(named: name).map(OptionTable.encoder)
        case .muxer(let name): format(name).map(OptionTable.muxer)
        case .proto(let name): OptionTable.protocols[name]
        case .everyFilter: OptionTable.filters
        case .everyEncoder: OptionTable.encoders
        case .everyMuxer: OptionTable.muxers
        }
    }

    /// The names of all protocols, also of those that can only be read from.
    public static var protocols: [String] { OptionTable.protocols.keys.sorted() }

    /// The encoder a stream would be encoded with; nil where adding the stream would fail for it.
    public static func encoder(for config: StreamConfig, format: String, name: String) -> String? {
        guard let format = Self.format(format)?.writing(name) else { return nil }
        return switch config {
        case .audio(let audio): try? Codec.choose(audio.encoder, audio.encoderOption, .audio, for: format).name
        case .video(let video): try? Codec.choose(video.encoder, video.encoderOption, .video, for: format).name
        }
    }

    /// Whether options set a flag, however that is written: "+pass1", "512", "flags/2+global_header".
    public static func sets(_ flag: String, in option: String, ofEncoder name: String, by value: String) -> Bool {
        guard let codec = Codec(named: name), let trial = EncoderOptions(codec, [option: value]) else { return false }
        return trial.has(flag, in: option)
    }

    public static func sets(_ flag: String, in option: String, ofMuxer name: String, by value: String) -> Bool {
        guard let format = format(name), let trial = MuxerOptions(format, [option: value]) else { return false }
        return trial.has(flag, in: option)
    }

    /// Throws for the first, by name, whose value the muxer does not take. Options that it does not have are others'.
    public static func checkValues(_ option: [String: String], ofMuxer name: String) throws(StreamWriterError) {
        guard let format = format(name) else { return }
        do throws(LibavError) {
            try MuxerOptions.check(option, for: format)
        } catch {
            var refusal = StreamWriterError(error, .unsupportedValue, parameter: error.option.map { "option.\($0)" })
            let choices = (format.privateOptions + OutputFormat.genericOptions).first { $0.name == error.option }?.choices ?? []
            if !choices.isEmpty { refusal.supported = choices.map(\.name) }
            throw refusal
        }
    }

    /// The number that an option stands for where it is among these.
    public static func integer(_ name: String, in option: [String: String], ofMuxer muxer: String) -> Int64? {
        guard let value = option[name], let format = format(muxer), let trial = MuxerOptions(format, [name: value]) else { return nil }
        return trial.integer(name)
    }

    /// By any of its names, or all of them: libav finds "sdl", but not "sdl,sdl2".
    private static func format(_ name: String) -> OutputFormat? {
        OutputFormat(named: name) ?? OutputFormat.all.first { $0.name == name }
    }

    /// Options in one text, "key=value:key=value"; nil when libav would refuse it.
    public static func pairs(in text: String) -> [(key: String, value: String)]? { DictionaryText.pairs(in: text) }

    public struct Filter: Sendable {
        public let name: String
        /// "crop@left", where the description gives it a name.
        public let instance: String?
        let arguments: String

        /// The options it would be told, in the order they are set; a name may come twice. None of a
        /// filter there is none of: libav says so.
        public func options() throws(StreamWriterError) -> [(name: String, value: String)] {
            guard OptionTable.filter(name) != nil else { return [] }
            return try translating(.invalidFilter, parameter: "filter_desc") { () throws(LibavError) in
                try FilterDescription.options(arguments, of: name).map { ($0.name, $0.value) }
            }
        }
    }

    /// The filters a `filterDesc` would be made into, and, first, one of the name "scale" with what
    /// all of the graph's scale filters are told.
    public static func filters(in description: String) throws(StreamWriterError) -> [Filter] {
        let parsed = try translating(.invalidFilter, parameter: "filter_desc") { () throws(LibavError) in
            try FilterDescription(description)
        }
        let shared = parsed.scaleArguments.map { Filter(name: "scale", instance: nil, arguments: $0) }
        let filters = parsed.uses.map { Filter(name: $0.filter, instance: $0.instance, arguments: $0.arguments) }
        return (shared.map { [$0] } ?? []) + filters
    }

    public struct FilterCommand: Sendable, Equatable {
        /// A filter's name, an instance's name, or "all".
        public let target: String
        public let command: String
        public let argument: String
    }

    /// The commands in an option of `sendcmd`; nil when it would refuse them.
    public static func filterCommands(in text: String) -> [FilterCommand]? {
        (try? FilterCommands(text))?.commands.map {
            FilterCommand(target: $0.target, command: $0.command, argument: $0.argument)
        }
    }
}
