import Stores
import ToolSessions
import Uploads

extension ScriptedServer {
    /// A URL whose requests meet these steps, one after the other.
    func url(_ name: String, _ steps: String) throws -> HTTPURL { try HTTPURL("\(origin)/\(name)/\(steps)") }
}

extension S3Session {
    func store(prefix: String = "", credentials: Store.CredentialsSource? = nil, bucket: String? = nil) throws -> Store {
        let keys = Credentials(accessKey: accessKey, secretKey: Secret(secretKey))
        return try Store(
            name: "archive", endpoint: endpoint, bucket: bucket ?? self.bucket, region: "us-east-1", credentials: credentials ?? .fixed(keys), prefix: prefix)
    }

    func client(_ rules: ConnectionRules = ConnectionRules()) throws -> S3Client { S3Client(try HTTPClient(rules: rules), try store()) }

    func uploads(_ key: ObjectKey) throws -> Uploads { try uploads(key.text) }
}
