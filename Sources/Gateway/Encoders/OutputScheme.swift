import WriterModel

/// Where outputs write to, as `/metrics` tells them apart.
enum OutputScheme {
    private static let (managed, file, device, none, other) = ("managed", "file", "device", "none", "other")
    static let all = [managed, file, device, none, other] + URLScheme.names

    /// `claim`: what it is among the outputs that were there from the start; what came later is a URL, a device or a
    /// file in the writer's own folder.
    static func of(_ destination: String?, _ claim: OutputClaim?) -> String {
        switch claim {
        case .file, .folder: return file
        case .managed, .nothing, .several, nil: break
        }
        guard let destination else { return claim == .nothing ? none : managed }
        guard let scheme = URLParts(destination)?.scheme else { return device }
        return URLScheme.named(scheme) == nil ? other : scheme
    }
}
