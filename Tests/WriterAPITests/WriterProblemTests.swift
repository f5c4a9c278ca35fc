import HTTP1
import StreamWriter
import Testing
import WriterAPI
import WriterModel

/// The writer library's errors as the API tells them, and what a chunk's request says.
@Suite struct WriterProblemTests {
    private static let codes: [(StreamWriterError.Code, ProblemCode)] = [
        (.unknownEncoder, .unknownEncoder), (.wrongEncoderType, .unsupportedValue), (.unsupportedValue, .unsupportedValue),
        (.unknownOption, .unknownOption), (.unknownFormat, .unknownFormat), (.invalidParameter, .invalidParameter),
        (.invalidFilter, .invalidFilter), (.unsupportedHardware, .unsupportedHardware), (.beyondLimit, .limitExceeded),
        (.wrongState, .wrongState), (.noSuchStream, .streamNotFound), (.chunkInProgress, .chunkInProgress), (.ptsTooEarly, .ptsTooEarly),
        (.invalidSamples, .invalidSamples), (.encodingFailed, .encodingFailed), (.destinationFailed, .destinationFailed), (.destinationTimedOut, .destinationTimeout),
        (.destinationRefused, .forbiddenDestination), (.destinationExists, .destinationExists), (.noSpace, .noSpace),
        (.outputTooLarge, .outputLimit), (.outOfMemory, .memoryLimit), (.outputDamaged, .outputDamaged),
        (.noProcess, .overloaded),
    ]

    @Test func everyErrorOfTheLibraryHasItsProblem() {
        #expect(Set(Self.codes.map(\.0)) == Set(StreamWriterError.Code.allCases))
        for (code, expected) in Self.codes {
            let problem = Problem(StreamWriterError(code, "libx264 is no audio encoder", parameter: "encoder", supported: ["a"], libavError: "e", log: ["l"]))
            #expect(problem.code == expected)
            #expect(problem.detail.hasPrefix("libx264 is no audio encoder."), "no capital changes a name, and a sentence ends")
            #expect(problem.parameter == "encoder" && problem.supported == ["a"] && problem.libavError == "e" && problem.log == ["l"])
        }
    }

    @Test func whatWouldBeRightIsSaid() {
        let exists = Problem(StreamWriterError(.destinationExists, "x.")).detail
        #expect(exists == "x. Choose another dst, or send \"overwrite\": true.")
        #expect(Problem(StreamWriterError(.outOfMemory, "x")).detail.contains("--max-encoder-memory"))
        #expect(Problem(StreamWriterError(.ptsTooEarly, "x", expectedPTS: 1.5)).extras == [.init("expected_pts", .number(1.5))])
    }

    /// docs/guides/failures.md: after these nothing more can be written.
    @Test func onlyWhatTheWriterCanNotGoOnAfterEndsIt() {
        let ends: Set<ProblemCode> = [
            .encodingFailed, .destinationFailed, .destinationTimeout, .forbiddenDestination, .destinationExists, .noSpace, .memoryLimit, .outputLimit,
            .internalError, .encoderStalled, .outputReplaced, .outputDamaged,
        ]
        for code in ProblemCode.allCases { #expect(Problem(code, "x").endsWriter == ends.contains(code), "\(code)") }
    }

    @Test func anOutputThatIsTooLargeNamesItsBoundOnce() {
        var limits = ServiceLimits()
        #expect(Problem(.outputLimit, "Too large.").naming(outputLimitOf: limits).extras.isEmpty, "there is none")
        limits.maxOutputBytes = 1_000
        let named = Problem(.outputLimit, "Too large.").naming(outputLimitOf: limits)
        #expect(named.detail == "Too large. An output file has at most 1000 bytes (--max-output-bytes)." && named.extras == [.init("limit", 1_000)])
        #expect(named.naming(outputLimitOf: limits) == named)
        limits.outputBoundIsOfToken = true
        #expect(Problem(.outputLimit, "Too large.").naming(outputLimitOf: limits).detail.contains("max-output-bytes= of this token"))
        #expect(Problem(.noSpace, "x").naming(outputLimitOf: limits).detail == "x")
    }

    // MARK: POST …/chunks

    private func parameters(_ query: String, _ fields: String...) throws -> ChunkRoute.Parameters {
        let lines = ["POST /v1/writers/w/streams/0/chunks\(query) HTTP/1.1", "Host: a"] + fields + ["", ""]
        let bytes = Array(lines.joined(separator: "\r\n").utf8)
        let parsed = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
        guard case .complete(let head, _) = try parsed.get() else { throw Problem(.malformedRequest, "unfinished") }
        return try ChunkRoute.Parameters(head)
    }

    @Test(arguments: [("", nil), ("?pts=0", 0), ("?pts=1.5", 1.5), ("?pts=1e-3", 0.001), ("?pts=%2B2", 2), ("?pts=007", 7)])
    func aTimeIsADecimalNumberOfSeconds(query: String, pts: Double?) throws { #expect(try parameters(query).pts == pts) }

    @Test(arguments: ["-1", "nan", "inf", "0x10", "1e999", "", "1,5", "1 ", "one"])
    func anythingElseIsNoTime(text: String) {
        let found = problem { _ = try parameters("?pts=\(text.replacing(" ", with: "%20"))") }
        #expect(found?.code == .invalidParameter && found?.parameter == "pts")
    }

    @Test func anOffsetIsANumberOfBytes() throws {
        #expect(try parameters("").offset == nil)
        #expect(try parameters("", "Upload-Offset: 12").offset == 12)
        #expect(try parameters("", "Upload-Offset: 9223372036854775807").offset == .max)
        for text in ["-1", "+1", "1.0", "9223372036854775808", "x", ""] {
            let found = problem { _ = try parameters("", "Upload-Offset: \(text)") }
            #expect(found?.code == .invalidHeader && found?.parameter == "Upload-Offset", "\(text)")
        }
    }

    @Test func theOffsetOfAProblemGoesIntoItsField() {
        #expect(Problem(.offsetMismatch, "x", extras: [("offset", 7)]).offsetFields.map(\.value) == ["7"])
        #expect(Problem(.offsetMismatch, "x").offsetFields.isEmpty)
    }
}
