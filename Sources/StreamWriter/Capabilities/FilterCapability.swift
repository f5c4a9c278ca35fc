import Libav

/// A filter, for `filter_desc`.
public struct FilterCapability: Sendable, Equatable {
    public let name: String
    public let description: String
    /// "video" or "audio" for each; ends with "dynamic" where options say how many more.
    public let inputs: [String]
    public let outputs: [String]
    public let options: [OptionCapability]

    init(_ filter: Filter, generic: [Option]) {
        name = filter.name
        description = filter.description
        inputs = filter.inputs.map(\.rawValue)
        outputs = filter.outputs.map(\.rawValue)
        options = OptionCapability.list(
            filter.privateOptions, generic: generic.filter { $0.name != "enable" || filter.takesEnable })
    }
}
