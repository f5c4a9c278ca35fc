import Bytewise
import StreamWriter
import WriterModel

/// What the bytes of an output become, in one spelling of the many: no two outputs of a writer have it in common.
enum OutputPlace: Equatable {
    case path(RelativePath)
    /// A URL, or an object by where its store lies.
    case url(ByteKey)

    /// nil: it is its own in any case, or nothing that could be replaced.
    init?(_ destination: DestinationPlan, option: [String: String], _ policy: OutputPolicy) {
        switch destination {
        case .file, .files:
            guard let path = destination.path else { return nil }
            self = .path(path)
        case .url(let url):
            if let object = ObjectPlace(url) {
                self = .url(ByteKey((policy.storePlaces[ByteKey(object.store)] ?? "\(object.store)/") + object.key))
            } else if let parts = URLParts(url) {
                guard let place = parts.place else { return nil }
                let further = Self.placing.map { option[$0].map { " \($0)" } ?? "" }
                self = .url(ByteKey(place + further.joined()))
            } else {
                self = .url(ByteKey(url))
            }
        case .managed, .device, .nowhere: return nil
        }
    }

    /// Options that say of what a URL names which part is meant.
    private static let placing = ["rtmp_app", "rtmp_playpath", "streamid", "srt_streamid"]

    /// `dst` as the client wrote it, of an output whose place another one of the writer has already.
    func refusal(of dst: String, because other: String) -> Problem {
        switch self {
        case .path(let path):
            Problem(.invalidParameter, "\(path) is the dst of the output \(other) already: each output has a file of its own.", parameter: "dst")
        case .url:
            Problem(
                .invalidParameter,
                "\(URLText.redacted(destination: dst)) is where the output \(other) goes already, and one would replace the other: each output has a URL or object of its own.",
                parameter: "dst")
        }
    }
}

extension PlannedOutput {
    var place: OutputPlace? { OutputPlace(plan.destination, option: request?.option ?? plan.openOption ?? [:], plan.policy) }

    /// Refuses what would go where one of the others goes.
    func requireOwnPlace(beside others: some Sequence<PlannedOutput>) throws(Problem) {
        let dst = plan.request.dst ?? ""
        if let place, let other = others.first(where: { $0.place == place }) { throw place.refusal(of: dst, because: other.name) }
        guard let names = FileNames(of: self), let other = others.first(where: { FileNames(of: $0).map(names.meets) ?? false }) else { return }
        throw Problem(
            .invalidParameter,
            "Files of \(URLText.redacted(destination: dst)) would get the names of those of the output \(other.name), and one would replace the other: give it a folder of its own.",
            parameter: "dst")
    }
}
