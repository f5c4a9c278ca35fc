import Bytewise

/// What is judged of one kind of component. What is not in it is refused.
package struct JudgementTable: Sendable {
    package struct Component: Sendable {
        /// Why it is refused as a whole.
        package var refusal: String?
        package var options: [String: Verdict] = [:]
        package var flags: [Flag] = []
        package var releases: Releases = []
        /// Of each option: which releases have it, and have it as it was judged.
        package var optionReleases: [String: Releases] = [:]
    }

    package struct Flag: Sendable {
        package let option: String
        package let name: String
        package let reason: String
    }

    /// The releases of FFmpeg that were read, as Debian builds them. None: another version or build.
    package struct Releases: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Debian 12's, FFmpeg 5.1.
        package static let ffmpeg5 = Releases(rawValue: 1)
        /// Debian 13's, FFmpeg 7.1.
        package static let ffmpeg7 = Releases(rawValue: 2)
    }

    package private(set) var components: [String: Component] = [:]

    /// All of them hold for whatever libav is installed; which releases have what is said for the tests.
    init(
        _ judgements: [Judgement], untilFFmpeg5: [Judgement] = [], sinceFFmpeg7: [Judgement] = [], elsewhere: [Judgement] = []
    ) {
        for judgement in elsewhere { add(judgement, []) }
        for judgement in untilFFmpeg5 { add(judgement, .ffmpeg5) }
        for judgement in sinceFFmpeg7 { add(judgement, .ffmpeg7) }
        for judgement in judgements { add(judgement, [.ffmpeg5, .ffmpeg7]) }
    }

    package subscript(_ name: String) -> Component? { components[name] }

    package static func names(_ list: String) -> [String] { list.words(at: [" ", "\n"]) }

    private mutating func add(_ judgement: Judgement, _ releases: Releases) {
        switch judgement {
        case .allowed(let names):
            for name in Self.names(names) { change(name, releases) { _ in } }
        case .harmless(let lines):
            for line in lines.parts(at: "\n", omittingEmpty: true) {
                let parts = line.parts(at: ":")
                for option in Self.names(parts[1]) { set(option, of: parts[0], .harmless, releases) }
            }
        case .refused(let names, let reason):
            for name in Self.names(names) { change(name, releases) { $0.refusal = reason } }
        case .options(let names, let options, let verdict):
            for name in Self.names(names) {
                for option in Self.names(options) { set(option, of: name, verdict, releases) }
            }
        case .flag(let names, let option, let flag, let reason):
            for name in Self.names(names) {
                change(name, releases) { $0.flags.append(Flag(option: option, name: flag, reason: reason)) }
            }
        }
    }

    private mutating func change(_ name: String, _ releases: Releases, _ body: (inout Component) -> Void) {
        body(&components[name, default: Component()])
        components[name]!.releases.formUnion(releases)
    }

    private mutating func set(_ option: String, of name: String, _ verdict: Verdict, _ releases: Releases) {
        change(name, releases) {
            $0.options[option] = verdict
            $0.optionReleases[option, default: []].formUnion(releases)
        }
    }
}
