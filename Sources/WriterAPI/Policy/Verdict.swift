/// What may be given to an option that takes text.
package enum Verdict: Sendable, Equatable {
    /// Numbers, expressions, colors, names that libav knows, or text that is only written down.
    case harmless
    /// Why, continuing "it …", and what to do instead.
    case refused(String)

    // Judged by the value.

    /// A file that the muxer opens by this name as it stands: `OutputNameJudge` says what stands for a name beside
    /// `dst`, and whether it may be opened. Or a URL.
    case outputPath
    /// A file whose name the muxer puts behind `dst`'s folder. Judged by the same.
    case nameBesideDst
    /// One line of a protocol's.
    case line
    /// An HTTP method.
    case httpMethod
    /// Lines of an HTTP request, each with its CR LF.
    case httpHeaders
    /// A font's family and style, but no file of one.
    case fontName
    /// The names of hls' variants, which become parts of file names.
    case variants
    /// Commands for other filters of the graph.
    case commands
    /// The name of another muxer.
    case muxer
    /// Options of another muxer, "key=value:key=value".
    case muxerOptions
    /// Options of a protocol, the same way.
    case protocolOptions
    /// Parameters of the encoder's own library, the same way.
    case parameters(EncoderParameters)
    /// The same, taken apart at each ":", whatever quotes and escapes there are: x264opts.
    case unquotedParameters(EncoderParameters)
}

/// A judgement of components of one kind, or of options of theirs. Lists have spaces or line ends
/// between their names.
package enum Judgement: Sendable {
    /// They touch nothing but what is given to them, and no option of theirs takes text.
    case allowed(String)
    /// "component: option option", a line each: they touch nothing but what is given to them, and
    /// neither do these options.
    case harmless(String)
    /// Whatever their options are.
    case refused(String, String)
    /// Of the components (first), the options (second).
    case options(String, String, Verdict)
    /// A flag of an option: whose, which option, which flag, and why it is refused.
    case flag(String, String, String, String)
}
