/// What is wrong with a store, and in which field.
package struct StoreFlaw: Error, Sendable, Equatable {
    package enum Field: String, Sendable, CaseIterable {
        case name
        case endpoint, bucket, region
        case accessKey = "access_key", secretKey = "secret_key", sessionToken = "session_token"
        case prefix
        case pathStyle = "path_style", credentialsFile = "credentials_file"
    }

    package let field: Field
    /// A sentence without its full stop.
    package let reason: String

    init(_ field: Field, _ reason: String) { (self.field, self.reason) = (field, reason) }
}
