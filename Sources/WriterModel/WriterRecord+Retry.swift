import Bytewise

// What becomes of a writer that has ended when what is kept of an output is sent again.
extension WriterRecord {
    /// Of all outputs, also of a writer that was made without naming them.
    public var outputNames: [String] {
        let named = (resource["outputs"]?.arrayValue ?? []).compactMap { $0.objectValue?["name"]?.stringValue }
        return named.isEmpty ? [RecordedOutput.onlyName] : named
    }

    /// Something of it has failed, of which there may be more to do.
    public var hasFailure: Bool { state == .failed || shownOutputs.contains { $0["state"] == .string(Self.failed) } }

    private static let (failed, closed) = ("failed", "closed")
    private static let failureWarning = "output-failed"

    private var shownOutputs: [JSONObject] { (resource["outputs"]?.arrayValue ?? []).compactMap(\.objectValue) }

    private mutating func changeOutput(named name: String, _ change: (inout JSONObject) -> Void) {
        guard let outputs = resource["outputs"]?.arrayValue else { return }
        resource["outputs"] = .array(
            outputs.map { output in
                guard var object = output.objectValue, object["name"]?.stringValue?.isSame(as: name) == true else { return output }
                change(&object)
                return .object(object)
            })
    }

    /// Says of each output in `kept` where it is sent again, and of those in `underWay` that they are being sent.
    public func offeringRetries(of kept: Set<String>, underWay: Set<String>) -> JSONObject {
        let writer = resource["id"]?.stringValue ?? ""
        func offer(_ name: String, in object: inout JSONObject) {
            object["retry"] = .string("/v1/writers/\(writer)/outputs/\(name)/retry")
            if underWay.contains(name) { object["retrying"] = true }
        }
        var record = self
        for name in kept {
            if resource["outputs"] == nil, state == .failed { offer(name, in: &record.resource) }
            record.changeOutput(named: name) { output in if output["state"] != .string(Self.closed) { offer(name, in: &output) } }
        }
        return record.resource
    }

    /// The output, of so many bytes, is there now. The writer is closed if nothing else of it has failed.
    public mutating func noteSent(output name: String, bytes: Int64) {
        changeOutput(named: name) { output in
            output["state"] = .string(Self.closed)
            output["error"] = nil
            (output["bytes_written"], output["bytes"]) = (.integer(bytes), .integer(bytes))
        }
        if state == .closed { return forgetWarning(of: name) }
        guard shownOutputs.allSatisfy({ $0["state"] == .string(Self.closed) }) else { return }
        resource["state"] = .string(WriterState.closed.rawValue)
        resource["failure"] = nil
        if outputNames[0].isSame(as: name) { resource["bytes_written"] = .integer(bytes) }
        var result: JSONObject = [
            "bytes": resource["bytes_written"] ?? .integer(bytes), "duration": .number(duration), "ended_by": .string(WriterEnd.Cause.retry.rawValue), "warnings": [],
        ]
        if managedFile != nil || outputs.first?.file != nil { result["output"] = .string("/v1/writers/\(resource["id"]?.stringValue ?? "")/output") }
        resource["result"] = .object(result)
    }

    /// Up to where its streams came.
    private var duration: Double {
        (resource["streams"]?.arrayValue ?? []).compactMap { $0.objectValue?["next_pts"]?.numberValue }.max() ?? 0
    }

    private mutating func forgetWarning(of name: String) {
        guard var result = resource["result"]?.objectValue, let warnings = result["warnings"]?.arrayValue else { return }
        result["warnings"] = .array(
            warnings.filter { warning in
                let object = warning.objectValue
                return object?["code"] != .string(Self.failureWarning) || object?["output"]?.stringValue?.isSame(as: name) != true
            })
        resource["result"] = .object(result)
    }

    /// It could not be sent this time either.
    public mutating func noteNotSent(output name: String, because problem: Problem) {
        changeOutput(named: name) { $0["error"] = ["code": .string(problem.code.rawValue), "detail": .string(problem.detail.shortened(to: 500))] }
        if state == .failed, outputNames.count == 1 { resource["failure"] = problem.json }
    }
}
