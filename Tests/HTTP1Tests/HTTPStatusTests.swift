import HTTP1
import Testing

@Suite struct HTTPStatusTests {
    // The IANA registry of HTTP status codes.
    @Test(arguments: [
        (.continue, 100, "Continue"), (.ok, 200, "OK"), (.created, 201, "Created"), (.accepted, 202, "Accepted"),
        (.noContent, 204, "No Content"), (.partialContent, 206, "Partial Content"),
        (.notModified, 304, "Not Modified"), (.badRequest, 400, "Bad Request"),
        (.unauthorized, 401, "Unauthorized"), (.forbidden, 403, "Forbidden"), (.notFound, 404, "Not Found"),
        (.methodNotAllowed, 405, "Method Not Allowed"), (.notAcceptable, 406, "Not Acceptable"),
        (.requestTimeout, 408, "Request Timeout"), (.conflict, 409, "Conflict"), (.gone, 410, "Gone"),
        (.lengthRequired, 411, "Length Required"), (.preconditionFailed, 412, "Precondition Failed"),
        (.contentTooLarge, 413, "Content Too Large"), (.uriTooLong, 414, "URI Too Long"),
        (.unsupportedMediaType, 415, "Unsupported Media Type"),
        (.rangeNotSatisfiable, 416, "Range Not Satisfiable"), (.expectationFailed, 417, "Expectation Failed"),
        (.misdirectedRequest, 421, "Misdirected Request"), (.unprocessableContent, 422, "Unprocessable Content"), (.tooManyRequests, 429, "Too Many Requests"),
        (.requestHeaderFieldsTooLarge, 431, "Request Header Fields Too Large"),
        (.internalServerError, 500, "Internal Server Error"), (.notImplemented, 501, "Not Implemented"),
        (.badGateway, 502, "Bad Gateway"), (.serviceUnavailable, 503, "Service Unavailable"),
        (.gatewayTimeout, 504, "Gateway Timeout"), (.httpVersionNotSupported, 505, "HTTP Version Not Supported"),
        (.insufficientStorage, 507, "Insufficient Storage"),
    ] as [(HTTPStatus, Int, String)])
    func statusHasTheRegisteredCodeAndPhrase(_ status: HTTPStatus, _ code: Int, _ phrase: String) {
        #expect(status.code == code)
        #expect(status.reasonPhrase == phrase)
    }
}
