import WriterModel

/// Where outputs write to, as `/metrics` tells them apart.
enum OutputScheme {
    private static let (managed, file, device, none, other) = ("managed", "file", "device", "none", "other")
    static let all = [managed, file, device, none, other] + URLScheme.names

    /// Of an output that claims what it does; nil: it came later, and is a URL or a device.
    static func of(_ destination: String?, _ claim: OutputClaim?) -> String {
        switch claim {
        case .managed: return managed
        case .file, .folder: return file
        case .nothing, .several, nil: break
        }
        guard let destination else { return none }
        guard let scheme = URLParts(destination)?.scheme else { return device }
        return URLScheme.named(scheme) == nil ? other : scheme
    }
}
