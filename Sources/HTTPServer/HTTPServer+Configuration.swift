import HTTP1

extension HTTPServer {
    public struct Configuration: Sendable {
        public var limits = HTTPLimits()
        public var maxConnections = 10_000
        /// Of one client address; 0 for no such limit.
        public var maxConnectionsPerAddress = 0
        public var handlerThreads = 32
        /// Requests that wait for a thread.
        public var maxQueuedRequests = 1_024
        /// Threads beside those, for uploads and whatever else lasts as long as the client likes.
        public var maxLentThreads = 256
        /// Memory that waits for clients to take it, or for the rest of their heads and bodies. Beyond, some
        /// of the client that holds most are given up.
        public var maxHeldBytes = 64 * 1_024 * 1_024
        /// Pages of the heap that a peak of such memory has left go back to the system.
        public var trimsHeap = false
        /// When the server closes: how long a client may take before it goes on reading or sending.
        public var closingPatience = Duration.seconds(2)
        /// Connections beyond `maxConnections` that are still told so; others are just closed.
        public var maxRefusedConnections = 256
        /// The same of one address beyond `maxConnectionsPerAddress`.
        public var maxRefusedPerAddress = 16
        /// A connection without a request.
        public var idleTimeout = Duration.seconds(75)
        /// From a request's first byte to its head's end.
        public var headTimeout = Duration.seconds(15)
        /// Between two reads of a body.
        public var bodyTimeout = Duration.seconds(60)
        /// Between two writes of a response.
        public var responseTimeout = Duration.seconds(60)
        /// How long a handler thread stays with a connection for its next request.
        public var lingerTime = Duration.milliseconds(50)
        /// A body that no handler wanted is read away up to here; beyond, the connection is closed.
        public var maxDiscardedBodyBytes = 256 * 1_024
        /// After a response that ends the connection: how long the client's next bytes are
        /// awaited, so that it sees the response and not a reset. Also for a body that no handler wanted.
        public var closeTimeout = Duration.seconds(2)
        /// The same, in all, for a client that goes on sending.
        public var maxCloseTime = Duration.seconds(30)
        /// A connection that is accepted after `drain` still has one request answered.
        public var answersWhileDraining = false
        /// How long such a one may take over its request's head.
        public var lateHeadTimeout = Duration.seconds(1)
        /// Hears of every request that was answered here, on the thread that answered it.
        public var onResponded: (@Sendable (ExchangeReport) -> Void)?

        public init() {}
    }
}
