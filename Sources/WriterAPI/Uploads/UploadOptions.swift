import Bytewise
import StreamWriter
import Uploads

/// What an upload takes of an output's options. Those of libav's own http that it has no use for are refused, with what is
/// to be said instead.
struct UploadOptions {
    private(set) var method = HTTPUpload.Target.Method.put
    private(set) var headers: [HTTPHeader] = []
    /// How long nothing may move.
    private(set) var timeout: Duration?

    private static let own = ["method", "headers", "user_agent", "content_type", "timeout", "rw_timeout"]

    init() {}

    /// Those of an output's that an upload may have.
    static func own(in option: [String: String]) -> [String: String] { option.filter { item in own.contains { $0.isSame(as: item.key) } } }

    /// Takes its own out. What a muxer has by the same name stays the muxer's, but for the method and the headers, which are
    /// for all of its files.
    init(taking option: inout [String: String], muxer: String, _ target: UploadTarget) throws(StreamWriterError) {
        let ofMuxer = OptionInspection.options(of: .muxer(muxer)) ?? [:]
        for name in Self.own where ofMuxer[name] == nil || ["method", "headers"].contains(where: { $0.isSame(as: name) }) {
            if let value = option.removeValue(forKey: name) { try take(name, value, target) }
        }
        if let listen = option.removeValue(forKey: "listen"), !listen.isSame(as: "0") {
            throw StreamWriterError(.unsupportedValue, "an object in a store is written, and waits for nobody", parameter: "option.listen")
        }
        if OptionInspection.integer("hls_enc", in: option, ofMuxer: muxer).map({ $0 != 0 }) ?? false {
            throw StreamWriterError(
                .unsupportedValue, "hls encrypts only what libav itself writes, and not what is uploaded: leave hls_enc out, or write to a folder", parameter: "option.hls_enc")
        }
        for name in option.keys.sorted() where ofMuxer[name] == nil && Self.isOfProtocol(name) { throw Self.refusal(of: name, target) }
    }

    /// Of one file, by what its muxer opens it with; over those of all.
    func with(_ ofFile: [String: String], _ target: UploadTarget) throws(StreamWriterError) -> UploadOptions {
        var options = self
        for (name, value) in ofFile.sorted(by: { $0.key < $1.key }) {
            switch name {
            // It deletes by opening with that; the method of the others is known.
            case "method": continue
            case "multiple_requests" where value.isSame(as: "0"): continue
            case _ where Self.own.contains { $0.isSame(as: name) }: try options.take(name, value, target)
            default: throw Self.refusal(of: name, target)
            }
        }
        return options
    }

    var hasContentType: Bool { headers.contains { $0.name.lowercasedASCII.isSame(as: "content-type") } }

    mutating func add(_ name: String, _ value: String, from parameter: String) throws(StreamWriterError) {
        if headers.contains(where: { $0.name.lowercasedASCII.isSame(as: name.lowercasedASCII) }) {
            throw StreamWriterError(.invalidParameter, "\(name) is said twice, by \(parameter) and among the headers; leave one of them", parameter: parameter)
        }
        do throws(UploadError) {
            headers.append(try HTTPHeader(name, value))
        } catch {
            throw StreamWriterError(.invalidParameter, "\(parameter): \(error.reason)", parameter: parameter)
        }
    }

    private mutating func take(_ name: String, _ value: String, _ target: UploadTarget) throws(StreamWriterError) {
        let parameter = "option.\(name)"
        if case .object = target, !name.ends(with: "timeout") { throw Self.refusal(of: name, target) }
        switch name {
        case "method":
            switch value {
            case "PUT": method = .put
            case "POST": method = .post
            default: throw StreamWriterError(.unsupportedValue, "an upload is a PUT or a POST", parameter: parameter, supported: ["PUT", "POST"])
            }
        case "headers":
            for line in value.parts(at: "\n").map({ $0.without(suffix: "\r") ?? $0 }) where !line.isEmpty {
                guard let (name, text) = line.cut(at: ":") else {
                    throw StreamWriterError(.invalidParameter, "\(parameter) has lines \"Name: value\"", parameter: parameter)
                }
                try add(name, text, from: parameter)
            }
        case "user_agent": try add("User-Agent", value, from: parameter)
        case "content_type": try add("Content-Type", value, from: parameter)
        default:
            guard let microseconds = Int64(value), microseconds >= -1 else {
                throw StreamWriterError(.unsupportedValue, "\(parameter) is a number of microseconds", parameter: parameter)
            }
            timeout = microseconds > 0 ? .microseconds(microseconds) : nil
        }
    }

    // MARK: What it does not take

    private static func isOfProtocol(_ name: String) -> Bool {
        ["http", "https", "tls", "tcp"].contains { OptionInspection.options(of: .proto($0))?[name] != nil }
    }

    private static func refusal(of name: String, _ target: UploadTarget) -> StreamWriterError {
        let advice = if case .object = target {
            "a store's requests are its own; say content_type, cache_control or object_metadata of the output"
        } else {
            advice[name] ?? "it is one of libav's own http, by which uploads do not go; leave it out"
        }
        return StreamWriterError(.unknownOption, "the option \(name.shortened()) is not taken for an upload: \(advice)", parameter: "option.\(name)")
    }

    private static let advice: [String: String] = {
        var advice: [String: String] = [:]
        let byName = [
            "referer cookies auth_type": "say it in headers",
            "mime_type": "say content_type",
            "chunked_post": "the body has a length where that is known, and is chunked where it is not",
            "send_expect_100": "leave is asked before each large body",
            "post_data": "the output is the body",
            "multiple_requests": "connections are kept by themselves",
            "tls_verify verifyhost": "certificates are always verified",
            "http_proxy": "no proxy is used",
            "reconnect reconnect_at_eof reconnect_on_network_error reconnect_on_http_error reconnect_streamed reconnect_delay_max reconnect_max_retries reconnect_delay_total_max respect_retry_after":
                "what can be sent again is tried again for as long as the server's --upload-retry-time says",
        ]
        for (names, text) in byName { for name in names.words(at: [" "]) { advice[name] = text } }
        return advice
    }()
}
