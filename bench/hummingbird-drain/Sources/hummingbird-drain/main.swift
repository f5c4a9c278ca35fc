import Hummingbird
import Foundation
import Logging

/// Prints the port, then answers every POST with the number of bytes in its body.
let router = Router()
router.post("/drain") { request, _ in
    var count = 0
    for try await buffer in request.body { count += buffer.readableBytes }
    return String(count)
}

var logger = Logger(label: "hummingbird-drain")
logger.logLevel = .warning
let application = Application(
    router: router,
    configuration: .init(address: .hostname("127.0.0.1", port: 0)),
    onServerRunning: { channel in
        print(channel.localAddress?.port ?? 0)
        fflush(nil)
    },
    logger: logger
)
try await application.runService()
