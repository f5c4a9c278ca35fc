import Foundation

/// Tests/Tools/webhook-receiver.py at work.
final class WebhookReceiver: Sendable {
    struct Request: Decodable {
        let path: String
        let headers: [String: String]
        let body: String
        /// Those of the receiver's secrets that have signed it, by Python's hmac.
        let signers: [String]
        /// Since 1970.
        let at: Double

        var json: JSON { (try? JSON(Data(body.utf8))) ?? .null }
        var type: String { json["type"].string ?? "" }
        var id: String { headers["webhook-id"] ?? "" }
    }

    let port: Int
    private let peer: Peer

    /// Two secrets, made for tests.
    static let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]

    /// `port`: one that was another's, which must have ended.
    static func start(on port: Int = 0) async throws -> WebhookReceiver {
        let peer = try Peer("/usr/bin/env", ["python3", Repository.root + "/Tests/Tools/webhook-receiver.py", "\(port)"] + secrets)
        try await eventually("the receiver's port") { peer.output.contains("\n") }
        return WebhookReceiver(port: Int(peer.output.split(separator: "\n")[0]) ?? 0, peer)
    }

    private init(port: Int, _ peer: Peer) { (self.port, self.peer) = (port, peer) }

    /// What meets these steps.
    func url(_ name: String, _ steps: String = "204") -> String { "http://127.0.0.1:\(port)/\(name)/\(steps)" }

    /// What came so far, to paths of that name.
    func requests(_ name: String) throws -> [Request] {
        try peer.output.split(separator: "\n").dropFirst().map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
            .filter { $0.path.hasPrefix("/\(name)/") }
    }

    func stop() async throws { try await peer.stop(with: SIGKILL) }
}
