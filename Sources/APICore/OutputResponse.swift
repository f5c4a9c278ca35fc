import HTTP1
import HTTPServer
import WriterModel

extension Response {
    /// A file that is complete, or the range of it that was asked for (RFC 9110 §14).
    public static func output(_ file: OpenFile, name: String, mediaType: String, head: RequestHead) throws(Problem) -> Response {
        let size = file.size
        var fields: [(name: String, value: String)] = [
            ("Content-Type", mediaType),
            ("Content-Disposition", "attachment; filename=\"\(name)\""),
            ("Accept-Ranges", "bytes"),
        ]
        guard let asked = head.field("Range") else {
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
}
