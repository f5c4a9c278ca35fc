import Bytewise
import Libav

extension StreamWriterError {
    /// Translates at this layer's edge: `code` unless libav's own code says it better.
    init(_ error: LibavError, _ code: Code, parameter: String? = nil) {
        let better: Code = switch error.kind {
        case .noSpace: .noSpace
        case .tooLarge: .outputTooLarge
        case .outOfMemory: .outOfMemory
        case .alreadyThere: .destinationExists
        case .leadsOutside: .destinationRefused
        default: code
        }
        if error.kind == .leadsOutside {
            self.init(better, "\(error.doing): it lies outside the folder of the destination", log: error.log)
            return
        }
        if let refusal = error.refusal {
            self.init(.destinationRefused, refusal, log: error.log)
            return
        }
        if error.saysAll {
            self.init(better, error.doing, parameter: parameter, log: error.log)
            return
        }
        if error.log.contains(where: { $0.holds("Cannot write more than one file with the same name") }) {
            self.init(
                better, "dst names one file, and this is a second picture: it needs a number, such as %d before its extension. The option \"update\": 1 keeps the last picture alone",
                parameter: "dst", libavError: error.text, log: error.log)
            return
        }
        // libav's codes say little ("Invalid argument"); what it logged says what it was.
        let reason = error.cause ?? error.text
        self.init(better, "\(error.doing): \(reason)", parameter: parameter, libavError: error.text, log: error.log)
    }

    /// An encoder that would not open: the option it choked on, when there is one, or what of the stream it was.
    init(opening error: LibavError, _ settings: EncoderSettings) {
        guard let option = error.option else {
            self.init(error, .unsupportedValue, parameter: error.parameter ?? "encoder")
            addWarning(error)
            if error.parameter == nil, code == .unsupportedValue { add(EncoderRefusal(error, settings)) }
            return
        }
        let parameter = "encoder_option.\(option)"
        if let excess = error.excess {
            let bound = WriterLimits.Bound(kind: .threads, value: excess.limit)
            self.init(.beyondLimit, "\(parameter): \(error.doing)", parameter: parameter, limit: bound)
            return
        }
        if error.kind == .optionNotFound {
            self.init(error, .unknownOption, parameter: parameter)
            message = "the encoder has no option \(option.shortened())"
            suggestion = NameSuggestions.option(like: option, of: settings.codec)
        } else {
            self.init(error, .unsupportedValue, parameter: parameter)
            addWarning(error)
            let choices = settings.codec.choices(of: option)
            if !choices.isEmpty {
                supported = choices
                message += ". It takes \(choices.joined(separator: ", "))"
            } else if error.kind == .invalid, let bounds = settings.codec.bounds(of: option) {
                message += ". It is a number from \(bounds.lowest) to \(bounds.highest)"
            }
        }
    }

    /// Options that neither a muxer of this name nor its destination has.
    public static func unknownOptions(_ keys: [String], ofMuxer name: String) -> StreamWriterError {
        var message = "nothing takes the option \(keys.joined(separator: ", ").shortened())"
        var suggestion: String?
        if let key = keys.first {
            suggestion = OutputFormat(named: name).flatMap { NameSuggestions.option(like: key, of: $0) }
            let others = NameSuggestions.muxers(withOption: key)
            if !others.isEmpty { message += " of the format \(name.shortened()): \(key) is one of \(others.joined(separator: ", "))" }
        }
        return StreamWriterError(.unknownOption, message, parameter: "option.\(keys.first ?? "")", suggestion: suggestion)
    }

    /// A destination that would not open, by itself or for an option of its protocol's. `name`: its own.
    init(opening name: String, _ error: LibavError, options: [String: String]) {
        if let refusal = SRTRefusal(error.log) {
            self.init(.destinationFailed, "", libavError: error.text, log: error.log)
            (message, parameter) = refusal.said(of: name, options)
            return
        }
        let names = options.keys.sorted()
        guard let option = Self.optionAtFault(error, names) ?? names.first(where: { Self.refusesInSRT($0, error) }) else {
            self.init(error, .destinationFailed)
            return
        }
        self.init(error, .unsupportedValue, parameter: "option.\(option)")
        if option.isSame(as: "pbkeylen") { supported = ["16", "24", "32"] }
        if option.isSame(as: "passphrase") { message += ". It must have from 10 to 79 characters" }
    }

    /// The option whose value could not be read.
    private static func optionAtFault(_ error: LibavError, _ names: some Sequence<String>) -> String? {
        names.first { name in error.log.contains { $0.holds("option \(name) to value") } }
    }

    /// libsrt's own names are those of libav's options.
    private static func refusesInSRT(_ name: String, _ error: LibavError) -> Bool {
        error.log.contains { line in
            line.holds("failed to set option SRTO_") && line.words(at: [" "]).contains { $0.lowercasedASCII.isSame(as: "srto_" + name) }
        }
    }

    /// A muxer that would not begin with these options and streams.
    init(beginning error: LibavError, options: some Sequence<String>) {
        let option = Self.optionAtFault(error, options)
        self.init(error, .unsupportedValue, parameter: option.map { "option.\($0)" } ?? "format")
        addWarning(error)
        guard option == nil, let wish = Self.wishes.first(where: { wish in error.log.contains { $0.holds(wish.words) } }) else { return }
        parameter = "option.\(wish.option)"
        supported = [wish.value]
    }

    /// What muxers ask to be told before they write what few readers know.
    private static let wishes = [
        (words: "add '-strict -2'", option: "strict", value: "experimental"), (words: "-strict -1 to use it", option: "strict", value: "unofficial"),
        (words: "enable allow_raw_vfw", option: "allow_raw_vfw", value: "1"),
    ]

    /// Of a call that logged no error: a warning of its own may say why.
    private mutating func addWarning(_ error: LibavError) {
        guard code == .unsupportedValue, !error.saysAll, error.cause == nil, let warning = error.warning else { return }
        message = "\(error.doing): \(warning)"
    }

    private mutating func add(_ refusal: EncoderRefusal?) {
        guard let refusal else { return }
        code = refusal.code
        parameter = refusal.parameter
        supported = refusal.supported.isEmpty ? nil : refusal.supported
        if let advice = refusal.advice { message += ". \(advice)" }
    }
}

/// Runs a libav call whose failure means `code`.
func translating<T>(
    _ code: StreamWriterError.Code, parameter: String? = nil,
    _ body: () throws(LibavError) -> T
) throws(StreamWriterError) -> T {
    do {
        return try body()
    } catch {
        throw StreamWriterError(error, code, parameter: parameter)
    }
}
