import Bytewise
import Crypto
import Stores

/// AWS's signature of a request, version 4, as S3 has it: paths are encoded once and not normalised.
///
/// libcurl has one too (CURLOPT_AWS_SIGV4), which makes no pre-signed URLs, and whose canonical query and headers differ between
/// the releases that Debian 12 and 13 have.
package struct SignatureV4: Sendable {
    static let emptyPayload = Hex.text(SHA256.hash(data: [UInt8]()))
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    let credentials: Credentials
    let region: String
    /// ISO 8601's basic form.
    let moment: String

    package init(credentials: Credentials, region: String, moment: String) { (self.credentials, self.region, self.moment) = (credentials, region, moment) }

    private var day: String { String(decoding: moment.utf8.prefix(8), as: UTF8.self) }
    private var scope: String { "\(day)/\(region)/s3/aws4_request" }

    /// A request as it is signed. The path is encoded, the query is not.
    package struct Subject: Sendable {
        var method: String
        var host: String
        var path: String
        var query: [(name: String, value: String)]
        var headers: [(name: String, value: String)]

        package init(
            method: String, host: String, path: String, query: [(name: String, value: String)] = [], headers: [(name: String, value: String)] = []
        ) { (self.method, self.host, self.path, self.query, self.headers) = (method, host, path, query, headers) }
    }

    /// The headers that carry the signature, and those that it demands.
    package func headers(for subject: Subject, payloadHash: String) -> [(name: String, value: String)] {
        var added = [("x-amz-content-sha256", payloadHash), ("x-amz-date", moment)]
        if let token = credentials.sessionToken { added.append(("x-amz-security-token", token.revealed)) }
        var subject = subject
        subject.headers += added
        let (names, signature) = sign(subject, payloadHash: payloadHash)
        let authorization = "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return added + [("Authorization", authorization)]
    }

    /// The query of a URL that needs no keys for so many seconds.
    package func presignedQuery(for subject: Subject, seconds: Int) -> String {
        var subject = subject
        subject.query += [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(credentials.accessKey)/\(scope)"), ("X-Amz-Date", moment),
            ("X-Amz-Expires", String(seconds)), ("X-Amz-SignedHeaders", Self.canonical(subject).names),
        ]
        if let token = credentials.sessionToken { subject.query.append(("X-Amz-Security-Token", token.revealed)) }
        let signature = sign(subject, payloadHash: Self.unsignedPayload).signature
        return Self.canonical(query: subject.query) + "&X-Amz-Signature=" + signature
    }

    private func sign(_ subject: Subject, payloadHash: String) -> (names: String, signature: String) {
        let (lines, names) = Self.canonical(subject)
        let request = [subject.method, subject.path, Self.canonical(query: subject.query), lines, names, payloadHash].joined(separator: "\n")
        let text = ["AWS4-HMAC-SHA256", moment, scope, Hex.text(SHA256.hash(data: Array(request.utf8)))].joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey.revealed)".utf8))
        for part in [day, region, "s3", "aws4_request"] {
            key = SymmetricKey(data: Array(HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key)))
        }
        return (names, Hex.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)))
    }

    /// Headers by their names in small letters, in order, with runs of spaces in values made one.
    private static func canonical(_ subject: Subject) -> (lines: String, names: String) {
        let all = (subject.headers + [("host", subject.host)]).map { (name: $0.name.lowercasedASCII, value: $0.value.words(at: [" ", "\t"]).joined(separator: " ")) }
        let sorted = all.sorted { ByteKey($0.name) < ByteKey($1.name) }
        return (sorted.map { "\($0.name):\($0.value)\n" }.joined(), sorted.map(\.name).joined(separator: ";"))
    }

    static func canonical(query: [(name: String, value: String)]) -> String {
        query.map { (ByteKey($0.name.percentEncoded()), ByteKey($0.value.percentEncoded())) }
            .sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }
}
