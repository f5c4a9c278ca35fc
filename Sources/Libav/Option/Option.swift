/// What libav's tables say about an option: the words `ffmpeg -h` prints, as values.
package struct Option: Sendable, Equatable {
    package struct Choice: Sendable, Equatable {
        package let name: String
        /// What the name stands for; the name itself where the option takes text.
        package let value: String
        package let help: String?
    }

    package let name: String
    package let help: String?
    /// As FFmpeg calls it: "int", "boolean", "pix_fmt"; "[int]" for a list.
    package let type: String
    /// As the option would take it; nil where nothing is set.
    package let defaultValue: String?
    /// Only of numbers, and only where they say more than the type does.
    package let minimum: Double?
    package let maximum: Double?
    package let choices: [Choice]
}

/// What the options are asked for.
package enum OptionUse: Sendable {
    case encoding(Codec.Media)
    case muxing
    case filtering
}
