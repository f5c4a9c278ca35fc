import Logging
import SystemIO
import Uploads
import WriterModel

/// The life of the process that sends webhooks: makes the requests that the gateway gives it, and ends when that does. It
/// holds no folder, token or writer.
package enum WebhookProcess {
    /// Libcurl's, the resolver's and OpenSSL's, with room to spare.
    private static let bounds = ProcessBounds(memoryBytes: nil, fileBytes: nil, descriptors: 512)

    /// Serves until the gateway has closed its end of the control socket; returns the process's exit code. Call it in a fresh process.
    static func run(control descriptor: Int32, log: Logger) -> Int32 {
        let gateway = MessageSocket(owning: descriptor)
        guard case .message(let bytes, _) = gateway.receive(waiting: true), case .start(let start)? = WebhookMessage(bytes) else { return 0 }
        var log = log
        if let level = Logger.Level(rawValue: start.logLevel) { log.logLevel = level }
        // The sandbox would not let it ask later.
        let ownAddresses = NameLookup.ownAddresses
        let authorities = Authorities.read(start.caFile, log)
        do throws(SystemError) {
            try Sandbox.enter(rules, bounds, keeping: [gateway.descriptor], isRequired: start.requiresSandbox)
        } catch {
            log.error("the process that sends webhooks can't be confined", metadata: ["error": "\(error)"])
            return 1
        }
        do throws(UploadError) {
            let sender = try WebhookSender(serverPorts: start.serverPorts, ownAddresses: ownAddresses, authorities: authorities) { message in
                // A gateway that takes nothing for so long ends this process.
                _ = gateway.send(message.encoded)
            }
            serve(gateway, sender)
            return 0
        } catch {
            log.error("webhooks can't be sent", metadata: ["error": "\(error)"])
            return 1
        }
    }

    /// What a name is looked up by and a certificate is judged by; which hosts is judged where a connection is made.
    package static var rules: SandboxRules { SandboxRules(places: SystemPlaces.read + SystemPlaces.network, tcpPorts: .all, sockets: [.tcp, .datagrams]) }

    private static func serve(_ gateway: MessageSocket, _ sender: WebhookSender) {
        while true {
            switch gateway.receive(waiting: true) {
            case .message(let bytes, let descriptor):
                if let descriptor { _ = Descriptor(owning: descriptor) }
                if case .send(let request)? = WebhookMessage(bytes) { sender.send(request) }
            case .nothing: continue
            case .ended: return
            }
        }
    }
}
