import HTTPServer
import WriterModel

extension HTTPServer.Configuration {
    /// The server of either process under these limits.
    public init(
        _ limits: ServiceLimits, lingerTime: Duration, answersWhileDraining: Bool = false,
        onResponded: (@Sendable (ExchangeReport) -> Void)? = nil
    ) {
        self.init()
        self.limits.maxHeadBytes = limits.maxHeadBytes
        self.limits.maxTargetBytes = min(self.limits.maxTargetBytes, limits.maxHeadBytes)
        maxConnections = limits.maxConnections
        maxRefusedConnections = min(maxRefusedConnections, max(4, maxConnections / 16))
        maxConnectionsPerAddress = limits.maxConnectionsPerAddress
        handlerThreads = limits.handlerThreads
        idleTimeout = .seconds(limits.idleConnectionTimeout)
        headTimeout = .seconds(limits.headTimeout)
        bodyTimeout = .seconds(limits.bodyTimeout)
        responseTimeout = .seconds(limits.responseTimeout)
        self.lingerTime = lingerTime
        self.answersWhileDraining = answersWhileDraining
        self.onResponded = onResponded
    }
}
