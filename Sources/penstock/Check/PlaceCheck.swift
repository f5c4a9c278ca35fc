import Bytewise
import SystemIO
import WriterModel

/// Whether a server could listen where it is to, or which program is there.
enum PlaceCheck {
    static func findings(_ settings: Settings) -> [Finding] { settings.places.map(finding) }

    private static func finding(_ place: ListenPlace) -> Finding {
        if case .tcp(_, 0) = place { return Finding(.ok, "listen", "\(place): the kernel gives a free port") }
        // To listen at a path would make the file.
        guard case .tcp(_, let port) = place else { return finding(place, orElse: Finding(.ok, "listen", "\(place): no server runs here")) }
        do throws(LocalSocketFailure) {
            _ = try place.listen()
            return Finding(.ok, "listen", "\(place): free, no server runs here")
        } catch {
            let advice = port < 1_024 ? "ports below 1024 take root or CAP_NET_BIND_SERVICE" : "'ss -ltnp sport = :\(port)' names a program that listens"
            return finding(place, orElse: Finding(.error, "listen", "\(place): \(error.description); \(advice), and an address must be this machine's"))
        }
    }

    /// Which program responds at the place; `vacancy` where none does.
    private static func finding(_ place: ListenPlace, orElse vacancy: Finding) -> Finding {
        switch resident(of: place) {
        case .penstock(let status): Finding(.ok, "listen", "\(place): a penstock server runs here (\(status))")
        case .other: Finding(.error, "listen", "\(place): another program responds here, and it is no penstock server; end it, or choose another place")
        case .none: vacancy
        }
    }

    private enum Resident {
        /// What it says of itself.
        case penstock(String)
        case other
        case none
    }

    private static func resident(of place: ListenPlace) -> Resident {
        let client = ServerClient(place: ServerPlace(listening: place), token: nil, timeout: .seconds(3))
        do throws(ServerClient.Failure) {
            let response = try client.get("/readyz")
            guard let object = (try? JSONParser.parse(response.body))?.objectValue else { return .other }
            if let status = object["status"]?.stringValue, object["sandbox"] != nil { return .penstock("ready: \(status)") }
            guard let type = object["type"]?.stringValue, type.begins(with: "urn:penstock:problem:") else { return .other }
            return .penstock(object["title"]?.stringValue ?? "not ready")
        } catch {
            return error.isConnected ? .other : .none
        }
    }
}
