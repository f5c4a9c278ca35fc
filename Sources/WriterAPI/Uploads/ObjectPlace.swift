import Bytewise
import Uploads
import WriterModel

/// `s3://STORE/KEY`: an object in a store of the operator's.
struct ObjectPlace: Equatable {
    let store: String
    /// As it stands there: nothing in it is encoded.
    let key: String

    /// nil: it is another URL.
    init?(_ url: String) {
        guard let (scheme, rest) = url.cut(at: ":"), scheme.lowercasedASCII.isSame(as: URLScheme.store), let tail = rest.without(prefix: "//")
        else { return nil }
        store = tail.until("/")
        key = tail.without(prefix: store + "/") ?? ""
    }

    /// Refuses a store that the writer has not, and what is no key.
    func check(_ policy: OutputPolicy) throws(Problem) {
        guard policy.allows(store: store) else {
            throw Problem(
                .forbiddenDestination, "This server does not write to s3://\(store.shortened()): \(Self.refusal(by: policy)).", parameter: "dst",
                supported: policy.stores.isEmpty ? nil : policy.stores.map { "\(URLScheme.store)://\($0)" })
        }
        do throws(UploadError) {
            _ = try ObjectKey(key)
        } catch {
            throw Problem(.invalidParameter, "dst is no place in a store: \(error.doing): \(error.reason).", parameter: "dst")
        }
    }

    private static func refusal(by policy: OutputPolicy) -> String {
        switch (policy.storesAreOfToken, policy.stores.isEmpty) {
        case (false, true): "it has no object stores (PENSTOCK_STORE_NAME_…, or stores in its configuration file)"
        case (false, false): "it has no store of that name"
        case (true, true): "this token's line allows no store (allow-store=)"
        case (true, false): "this token's line does not name that store (allow-store=)"
        }
    }

    // MARK: What muxers take it for

    // They know how to write, and to delete, what http names.

    var muxerName: String { Self.muxerPrefix(of: store) + key }

    private static func muxerPrefix(of store: String) -> String { "http://\(store)/" }

    /// The key of a name that a muxer has made of it; nil: it lies elsewhere.
    func key(ofMuxerName name: String) -> String? { name.without(prefix: Self.muxerPrefix(of: store)) }

    /// The same for a URL within an option of the muxer's.
    func muxerName(of url: String) -> String? {
        guard let other = ObjectPlace(url), other.store.isSame(as: store) else { return nil }
        return other.muxerName
    }
}
