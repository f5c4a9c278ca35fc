import Bytewise

/// What a process that sends a kept spool says, once.
public enum RetryReport: Sendable, Equatable {
    /// It is there.
    case sent
    case failed(ProblemCode, detail: String, parameter: String?)

    public static let mostDetailBytes = 2_000

    public var encoded: [UInt8] {
        let json: JSONValue =
            switch self {
            case .sent: ["sent": true]
            case .failed(let code, let detail, let parameter):
                [
                    "code": .string(code.rawValue), "detail": .string(detail.shortened(to: Self.mostDetailBytes)),
                    "parameter": parameter.map { .string($0) } ?? .null,
                ]
            }
        return json.encoded
    }

    public init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONParser.parse(bytes))?.objectValue else { return nil }
        if object["sent"] == .bool(true) {
            self = .sent
            return
        }
        guard let code = object["code"]?.stringValue.flatMap(ProblemCode.init(rawValue:)), let detail = object["detail"]?.stringValue else { return nil }
        self = .failed(code, detail: detail.shortened(to: Self.mostDetailBytes), parameter: object["parameter"]?.stringValue?.shortened())
    }
}
