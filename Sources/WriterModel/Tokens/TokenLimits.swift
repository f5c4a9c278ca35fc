import Bytewise

/// What a line of the token file bounds beyond what the server does; nil: as the server has it.
public struct TokenLimits: Sendable, Equatable {
    /// Relative destinations lie below it; relative to the output directory, without a "/" at its end.
    public var folder: String?
    /// Of other names, where the line has none of its own: no destination lies in one.
    public var othersFolders: [String] = []
    /// Live writers of the token's name.
    public var maxWriters: Int?
    /// Of each file of a writer; the server's bound holds as well.
    public var maxOutputBytes: Int?
    /// URLs that writers may write to, instead of the server's patterns.
    public var outputPatterns: [String]?
    /// URLs that writers' ends may be told to, instead of the server's patterns.
    public var callbackPatterns: [String]?

    /// Object stores that writers may write to; nil: all of the server's.
    public var stores: [String]?

    public init() {}

    /// The server's limits for a writer that this token makes.
    public func applied(to limits: ServiceLimits) -> ServiceLimits {
        guard let maxOutputBytes else { return limits }
        var limits = limits
        if limits.maxOutputBytes != 0 && limits.maxOutputBytes <= maxOutputBytes { return limits }
        limits.maxOutputBytes = maxOutputBytes
        limits.outputBoundIsOfToken = true
        return limits
    }

    public func applied(to policy: OutputPolicy) -> OutputPolicy {
        var policy = policy
        if let outputPatterns { (policy.patterns, policy.isOfToken) = (outputPatterns, true) }
        if let stores {
            policy.stores = policy.stores.filter { name in stores.contains { $0.isSame(as: name) } }
            policy.storesAreOfToken = true
        }
        return policy
    }

    public func applied(to callbacks: CallbackPolicy) -> CallbackPolicy {
        guard let callbackPatterns else { return callbacks }
        return CallbackPolicy(patterns: callbackPatterns, isOfToken: true, canSign: callbacks.canSign)
    }
}
