import Bytewise
import StreamWriter
import WriterModel

/// What a writer's `dst` and `format` come to, by the operator's rules.
package enum DestinationPlan: Equatable {
    /// A file that Penstock keeps.
    case managed
    /// One file under the output directory.
    case file(String)
    /// Files under the output directory that the muxer opens itself; this is the first one's
    /// name (a playlist) or a pattern.
    case files(String)
    case url(String)
    case device(String)
    /// The `null` muxer's: nothing is written.
    case nowhere

    /// Muxers that hand the same packets to several others, each with options of its own in
    /// `dst`. Two writers do the same, and each can be judged.
    private static let fanningOut: Set<String> = ["tee", "fifo"]  // ASCII

    package init(
        dst: String?, muxer: MuxerInfo, policy: OutputPolicy, clientPolicy: ClientPolicy = .enforced
    ) throws(Problem) {
        if clientPolicy == .absent, let dst, !muxer.isDevice, muxer.name != "null", !Self.isPlain(dst) {
            self = .url(dst)
            return
        }
        if clientPolicy == .enforced, Self.fanningOut.contains(muxer.name) {
            throw Problem(
                .forbiddenDestination, "The format \(muxer.name) is not taken; write to each destination with a writer of its own.",
                parameter: "format")
        }
        if muxer.isDevice {
            guard policy.allowsDevices || clientPolicy == .absent else {
                throw Problem(
                    .forbiddenDestination, "This server writes to no devices (it runs without --allow-devices).",
                    parameter: "format")
            }
            self = .device(dst ?? "default")
        } else if muxer.name == "null" {
            self = .nowhere
        } else if let dst, let place = ObjectPlace(dst) {
            try place.check(policy)
            self = .url(dst)
        } else if let dst, URLParts(dst) != nil {
            _ = try Self.permit(dst, policy)
            try Self.checkPackets(dst, muxer)
            try EncryptionJudge.check(url: dst)
            self = .url(dst)
        } else if let dst {
            try Self.checkPath(dst)
            self = muxer.needsFile ? .file(dst) : .files(dst)
        } else if muxer.needsFile {
            self = .managed
        } else {
            throw Problem(
                .invalidParameter, "The format \(muxer.name) makes several files: give a dst for them.", parameter: "dst")
        }
    }

    /// What the operator allows of a URL.
    static func permit(_ url: String, _ policy: OutputPolicy) throws(Problem) -> AddressPermit {
        do {
            return try policy.permit(url).get()
        } catch {
            let shown = URLText.redacted(destination: url)
            throw Problem(
                .forbiddenDestination, "This server does not write to \(shown): \(error.reason).", parameter: "dst",
                supported: error.supported)
        }
    }

    /// RTP's datagrams begin with a head of RTP's own, which only its muxers write.
    private static func checkPackets(_ url: String, _ muxer: MuxerInfo) throws(Problem) {
        guard let scheme = URLParts(url)?.scheme, rtpSchemes.contains(scheme), !rtpMuxers.contains(muxer.name) else { return }
        throw Problem(
            .invalidParameter,
            "The format \(muxer.name) can't be sent by \(scheme)://, which carries packets of RTP only: rtp (one stream, which the receiver knows from its SDP) or rtp_mpegts. Plain MPEG-TS goes to udp://.",
            parameter: "format", supported: rtpMuxers)
    }

    /// What libav's protocol tells a muxer that asks how large its packets may be; nil: it is none of packets.
    var packetBytes: Int? {
        guard case .url(let url) = self, let scheme = URLParts(url)?.scheme else { return nil }
        return Self.packetSchemes[scheme]
    }

    /// UDP's in an Ethernet frame, and srt's of seven packets of MPEG-TS.
    private static let packetSchemes = ["rtp": 1472, "srt": 1316, "srtp": 1472, "udp": 1472, "udplite": 1472]  // ASCII

    private static let rtpSchemes: Set<String> = ["rtp", "srtp"]  // ASCII
    private static let rtpMuxers = ["rtp", "rtp_mpegts"]  // ASCII

    /// A relative path, plainly: what the kernel would refuse later is refused with a reason.
    static func checkPath(_ dst: String, _ what: String = "dst") throws(Problem) {
        func refusal(_ rule: String) -> Problem {
            Problem(
                .forbiddenDestination, "\(what) \(rule). Give a path relative to the server's output directory.",
                parameter: "dst")
        }
        // By bytes, as the kernel and libav read it.
        let components = dst.parts(at: "/")
        if dst.begins(with: "/") { throw refusal("must not be an absolute path") }
        if components.contains(where: { $0.isSame(as: "..") || $0.isSame(as: ".") }) { throw refusal("must not hold the names \".\" or \"..\"") }
        if let scheme = scheme(of: dst) {
            throw refusal("must not begin with \"\(scheme):\", which FFmpeg would take for a protocol's name")
        }
        guard let path = try? RelativePath(dst) else { throw refusal("must be a path") }
        if path.isReserved {
            throw refusal("must not hold a name that begins with \(RelativePath.Component.reservedPrefix), as the server's own files do")
        }
        if components.contains(where: \.isEmpty) || dst.utf8.count > 1_024 || components.contains(where: { $0.utf8.count > 200 }) {
            throw Problem(
                .invalidParameter,
                "\(what) must be a path of non-empty names of at most 200 bytes each, 1,024 in all.", parameter: "dst")
        }
    }

    private static func isPlain(_ dst: String) -> Bool { (try? checkPath(dst)) != nil }

    /// Of what lies under the output directory.
    var path: RelativePath? {
        switch self {
        case .file(let dst), .files(let dst): try? RelativePath(dst)
        case .managed, .url, .device, .nowhere: nil
        }
    }

    /// RFC 3986 §3.1; for libav, "name:" and "name,option:" are one even without "//".
    private static func scheme(of dst: String) -> String? {
        guard let (scheme, _) = dst.cut(at: ":"), let first = scheme.utf8.first, first.isASCIILetter else { return nil }
        return scheme.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "+-.,_".utf8.contains($0) } ? scheme : nil
    }
}
