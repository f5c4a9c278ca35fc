/// The methods of RFC 9110 §9.3, PATCH and QUERY. Any other token is answered 501.
public enum HTTPMethod: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case options = "OPTIONS"
    case patch = "PATCH"
    case trace = "TRACE"
    case connect = "CONNECT"
    case query = "QUERY"

    /// Case-sensitive, as method names are (RFC 9110 §9.1).
    init?(_ token: UnsafeRawBufferPointer) {
        guard let first = token.first else { return nil }
        let candidate: HTTPMethod? =
            switch (first, token.count) {
            case (UInt8(ascii: "G"), 3): .get
            case (UInt8(ascii: "H"), 4): .head
            case (UInt8(ascii: "P"), 3): .put
            case (UInt8(ascii: "P"), 4): .post
            case (UInt8(ascii: "P"), 5): .patch
            case (UInt8(ascii: "D"), 6): .delete
            case (UInt8(ascii: "O"), 7): .options
            case (UInt8(ascii: "T"), 5): .trace
            case (UInt8(ascii: "C"), 7): .connect
            case (UInt8(ascii: "Q"), 5): .query
            default: nil
            }
        guard let candidate, token.elementsEqual(candidate.rawValue.utf8) else { return nil }
        self = candidate
    }
}
