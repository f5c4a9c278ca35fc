import Bytewise
import StreamWriter
import WriterModel

extension Problem {
    /// What the writer says, as the API says it.
    package init(_ error: StreamWriterError) {
        var extras: [(String, JSONValue)] = []
        if let expected = error.expectedPTS { extras.append(("expected_pts", .number(expected))) }
        if let sample = error.sample {
            extras += [("frame", .integer(sample.frame)), ("channel", .integer(Int64(sample.channel)))]
        }
        var message = error.message
        if let limit = error.limit {
            extras.append(("limit", .integer(Int64(limit.value))))
            message += " on this server (--max-\(limit.kind.rawValue))"
        }
        self.init(
            Self.code(of: error.code), Self.sentence(message) + Self.advice(error), parameter: error.parameter,
            supported: error.supported, libavError: error.libavError, log: error.log, extras: extras)
        self = suggesting(Self.suggestion(for: error))
    }

    /// What was meant: of an option that is a parameter of its own, or stands elsewhere, that one.
    private static func suggestion(for error: StreamWriterError) -> ParameterSuggestion? {
        guard error.code == .unknownOption, let option = error.parameter?.cut(at: ".") else { return error.suggestion.map { .init($0) } }
        let near = error.suggestion.map { [$0] } ?? []
        return switch option.before {
        case "encoder_option": ParameterSuggestion(for: option.after, at: .encoderOption, known: near)
        case "option": ParameterSuggestion(for: option.after, at: .option, known: near)
        default: near.first.map { .init($0) }
        }
    }

    private static func code(of code: StreamWriterError.Code) -> ProblemCode {
        switch code {
        case .unknownEncoder: .unknownEncoder
        case .wrongEncoderType, .unsupportedValue: .unsupportedValue
        case .unknownOption: .unknownOption
        case .unknownFormat: .unknownFormat
        case .invalidParameter: .invalidParameter
        case .invalidFilter: .invalidFilter
        case .unsupportedHardware: .unsupportedHardware
        case .beyondLimit: .limitExceeded
        case .wrongState: .wrongState
        case .noSuchStream: .streamNotFound
        case .chunkInProgress: .chunkInProgress
        case .ptsTooEarly: .ptsTooEarly
        case .invalidSamples: .invalidSamples
        case .encodingFailed: .encodingFailed
        case .outputDamaged: .outputDamaged
        case .outOfMemory: .memoryLimit
        case .outputTooLarge: .outputLimit
        case .destinationFailed: .destinationFailed
        case .destinationTimedOut: .destinationTimeout
        case .destinationRefused: .forbiddenDestination
        case .destinationExists: .destinationExists
        case .noSpace: .noSpace
        case .noProcess: .overloaded
        }
    }

    /// Its first word may be a name ("libx264 is no audio encoder"), which no capital changes.
    private static func sentence(_ message: String) -> String {
        message.ends(with: ".") ? message : message + "."
    }

    /// What would be right, or the option that set the bound.
    private static func advice(_ error: StreamWriterError) -> String {
        switch error.code {
        case .destinationExists: " Choose another dst, or send \"overwrite\": true."
        case .outOfMemory: " The memory of a writer's encoder is bounded (--max-encoder-memory)."
        case .noProcess: " Try again."
        case .destinationTimedOut: error.parameter == nil ? " Opening may take so long here (--open-timeout)." : " Opening it may take so long (open_timeout)."
        default: ""
        }
    }

    /// An `output-limit` with whose bound it was, and how much that is.
    package func naming(outputLimitOf limits: ServiceLimits) -> Problem {
        guard code == .outputLimit, limits.maxOutputBytes > 0, !extras.contains(where: { $0.name == "limit" }) else { return self }
        let setting = limits.outputBoundIsOfToken ? "max-output-bytes= of this token" : "--max-output-bytes"
        var problem = self
        problem.detail += " An output file has at most \(limits.maxOutputBytes) bytes (\(setting))."
        problem.extras.append(.init("limit", .integer(Int64(limits.maxOutputBytes))))
        return problem
    }

    /// After such a problem the writer can't go on.
    package var endsWriter: Bool {
        switch code {
        case .encodingFailed, .destinationFailed, .destinationTimeout, .forbiddenDestination, .destinationExists, .noSpace, .memoryLimit,
            .outputLimit, .internalError, .encoderStalled, .outputReplaced, .outputDamaged:
            true
        default: false
        }
    }
}

/// Runs a call of the writer library and translates its error.
func asProblem<R>(_ body: () throws(StreamWriterError) -> R) throws(Problem) -> R {
    do throws(StreamWriterError) {
        return try body()
    } catch {
        throw Problem(error)
    }
}
