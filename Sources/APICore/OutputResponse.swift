import HTTP1
import HTTPServer
import WriterModel

extension Response {
    /// A file that is complete, or the range of it that was asked for (RFC 9110 §14).
    public static func output(
        _ file: OpenFile, name: String, mediaType: String, state: WriterState, head: RequestHead
    ) throws(Problem) -> Response {
        let size = file.size
        var fields: [(name: String, value: String)] = [
            ("Content-Type", mediaType),
            ("Content-Disposition", contentDisposition(name)),
            ("Accept-Ranges", "bytes"),
            (stateField, state.rawValue),
        ]
        // RFC 9110 §14.2: a Range is of GET alone. §13.1.5: there is no validator that If-Range could be the same as.
        guard head.method == .get, head.field("If-Range") == nil, let asked = head.field("Range") else {
            return Response(.ok, fields: fields, body: .file(file, 0..<size))
        }
        switch ByteRange.resolve(asked, length: size) {
        case .whole:
            return Response(.ok, fields: fields, body: .file(file, 0..<size))
        case .range(let range):
            fields.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"))
            return Response(.partialContent, fields: fields, body: .file(file, range))
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "The output has \(size) bytes.",
                extras: [("size", .integer(Int64(size)))])
        }
    }

    /// The writer's state as an answer with its output begins: of a failed one the output may end anywhere.
    public static let stateField = "Penstock-Writer-State"

    private static let mostNamesLeft = 100

    /// The answer to DELETE. `left`: the writer's outputs by name that are files of others by now, and stay.
    public static func deleted(leaving left: [String]) -> Response {
        if left.isEmpty { return Response(.noContent) }
        return .json([
            "left": .array(left.prefix(mostNamesLeft).map { .string($0) }), "left_count": .integer(Int64(left.count)),
        ])
    }

    /// RFC 6266: the name in ASCII for every client, and beside it whole (RFC 8187) when it is more.
    package static func contentDisposition(_ name: String) -> String {
        let plain = String(
            decoding: name.unicodeScalars.flatMap { scalar -> [UInt8] in
                switch scalar {
                case "\"", "\\": [UInt8(ascii: "\\"), UInt8(scalar.value)]
                case " "..."~": [UInt8(scalar.value)]
                default: [UInt8(ascii: "_")]
                }
            }, as: UTF8.self)
        let field = "attachment; filename=\"\(plain)\""
        if name.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return field }
        return field + "; filename*=UTF-8''" + PercentEncoding.encode(name)
    }
}
