import WriterModel

/// Where the operator has ends of writers told, and what clients may ask for of that.
public struct WebhookConfiguration: Sendable {
    /// URLs that are told of every writer.
    public var urls: [String] = []
    /// The secrets that are signed with; nil: there are none, and nothing is sent.
    public var secretFile: String?
    /// For so long after an event it is sent again.
    public var retryTime: Duration = .seconds(86_400)
    /// `callback_url`.
    public var callbackPatterns: [String] = []

    public init() {}

    var callbacks: CallbackPolicy { CallbackPolicy(patterns: callbackPatterns, canSign: secretFile != nil) }

    /// What a running server takes of another configuration. The file stays, as what is in it may change at any time; without
    /// one nothing can be sent.
    func reloading(_ other: WebhookConfiguration) -> WebhookConfiguration {
        var configuration = other
        configuration.secretFile = secretFile
        if secretFile == nil { configuration.urls = [] }
        return configuration
    }
}
