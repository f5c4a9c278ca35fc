/// Keys to a store.
package struct Credentials: Sendable, Equatable {
    package let accessKey: String
    package let secretKey: Secret
    package let sessionToken: Secret?

    package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
        (self.accessKey, self.secretKey, self.sessionToken) = (accessKey, secretKey, sessionToken)
    }

    package var secrets: [Secret] { [secretKey] + (sessionToken.map { [$0] } ?? []) }
}
