import Bytewise

/// Tells one creation request from another, so that a repeated `PUT` is recognized after the
/// request itself is gone. Not secret, not proof against a search for collisions
/// among their own requests.
public enum CreationFingerprint {
    /// FNV-1a, 64 bits, over the request with its members sorted by name, without those that are null: they count as
    /// absent.
    public static func of(_ request: JSONValue) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in canonical(request).encoded { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    private static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            let members = object.members.filter { $0.value != .null }.sorted { ByteKey($0.name) < ByteKey($1.name) }
            return .object(JSONObject(members.map { ($0.name, canonical($0.value)) }))
        case .array(let elements): return .array(elements.map(canonical))
        default: return value
        }
    }
}
