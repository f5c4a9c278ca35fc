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
        self.init(
            better, "\(error.doing): \(error.text)", parameter: parameter,
            libavError: error.text, log: error.log)
    }

    /// An encoder that would not open: the option it choked on, when there is one.
    init(opening error: LibavError) {
        guard let option = error.option else {
            self.init(error, .unsupportedValue, parameter: error.parameter ?? "encoder")
            addCause()
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
            message = "the encoder has no option \(option)"
        } else {
            self.init(error, .unsupportedValue, parameter: parameter)
            addCause()
        }
    }

    /// A muxer that would not begin with these options and streams.
    init(beginning error: LibavError, options: some Sequence<String>) {
        let option = options.first { name in error.log.contains { $0.holds("option \(name) to value") } }
        self.init(error, .unsupportedValue, parameter: option.map { "option.\($0)" } ?? "format")
        addCause()
    }

    /// libav's codes say little ("Invalid argument"); the last line it logged says what it was.
    private mutating func addCause() {
        guard code == .unsupportedValue, let last = log.last else { return }
        // Some of libav's lines are several, and some repeat what a client sent.
        let cause = String(decoding: last.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
        message += " (\(cause.without(suffix: ".") ?? cause))"
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
