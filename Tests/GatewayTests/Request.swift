import HTTP1
import HTTPServer
import WriterModel

/// A request's head, read as the server reads it.
func head(_ method: String, _ target: String, _ fields: String...) throws -> RequestHead {
    let lines = ["\(method) \(target) HTTP/1.1", "Host: a"] + fields + ["", ""]
    let bytes = Array(lines.joined(separator: "\r\n").utf8)
    let result = bytes.withUnsafeBytes { bytes in Result { try RequestParser.parse(bytes, limits: HTTPLimits()) } }
    guard case .complete(let head, _) = try result.get() else { throw Unfinished() }
    return head
}

private struct Unfinished: Error {}

extension Response {
    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    var json: JSONValue? {
        guard case .bytes(let bytes) = body else { return nil }
        return try? JSONParser.parse(bytes)
    }
}

/// Of a file that is sent, as text.
func body(_ response: Response) -> String? {
    guard case .file(let file, let range) = response.body else { return nil }
    var bytes = [UInt8](repeating: 0, count: range.count)
    let count = bytes.withUnsafeMutableBytes { file.read(into: $0, at: range.lowerBound) }
    return String(decoding: bytes[..<count], as: UTF8.self)
}

func problem(_ work: () throws -> Void) -> Problem? {
    do {
        try work()
        return nil
    } catch {
        return error as? Problem
    }
}
