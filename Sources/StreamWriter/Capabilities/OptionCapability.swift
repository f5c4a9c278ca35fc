import Libav

/// An option of an encoder, a muxer or a filter.
public struct OptionCapability: Sendable, Equatable {
    public struct Choice: Sendable, Equatable {
        public let name: String
        /// What the name stands for: a number, or the name where the option takes text.
        public let value: String
        public let help: String?
    }

    public let name: String
    public let help: String?
    /// FFmpeg's name for it: "int", "boolean", "flags", "pix_fmt", …; "[int]" for a list.
    public let type: String
    /// As the option would take it; of a generic option, where this encoder starts from.
    public let defaultValue: String?
    /// Nil where the type's own range is all there is.
    public let minimum: Double?
    public let maximum: Double?
    /// Of this encoder, muxer or filter, rather than of all.
    public let isPrivate: Bool
    public let choices: [Choice]

    private init(_ option: Option, isPrivate: Bool, hidden: [String] = []) {
        name = option.name
        help = option.help
        type = option.type
        defaultValue = option.defaultValue
        minimum = option.minimum
        maximum = option.maximum
        self.isPrivate = isPrivate
        let listed = option.choices.map { Choice(name: $0.name, value: $0.value, help: $0.help) }
        choices = listed + hidden.map { Choice(name: $0, value: $0, help: nil) }
    }

    /// Private options first. A generic one of the same name is not reached, so it is left out.
    /// `hidden` gives the choices of an own one that libav does not list.
    static func list(_ own: [Option], generic: [Option], hidden: (String) -> [String] = { _ in [] }) -> [OptionCapability] {
        let names = Set(own.map(\.name))
        return own.map { OptionCapability($0, isPrivate: true, hidden: hidden($0.name)) }
            + generic.filter { !names.contains($0.name) }.map { OptionCapability($0, isPrivate: false) }
    }
}
