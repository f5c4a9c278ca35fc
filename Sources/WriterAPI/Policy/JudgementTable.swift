import Bytewise

/// What is judged of one kind of component. What is not in it is refused.
package struct JudgementTable: Sendable {
    package struct Component: Sendable {
        /// Why it is refused as a whole.
        package var refusal: String?
        package var options: [String: Verdict] = [:]
        package var flags: [Flag] = []
        /// Not of the libav that is installed where this was judged, but of another version or build.
        package var isElsewhere = true
    }

    package struct Flag: Sendable {
        package let option: String
        package let name: String
        package let reason: String
    }

    package private(set) var components: [String: Component] = [:]
    /// Component and option, of those that are judged for other versions.
    package private(set) var elsewhere: Set<String> = []

    init(_ judgements: [Judgement], elsewhere: [Judgement] = []) {
        for judgement in elsewhere { add(judgement, isElsewhere: true) }
        for judgement in judgements { add(judgement, isElsewhere: false) }
    }

    package subscript(_ name: String) -> Component? { components[name] }

    package static func names(_ list: String) -> [String] { list.words(at: [" ", "\n"]) }

    private mutating func add(_ judgement: Judgement, isElsewhere: Bool) {
        switch judgement {
        case .allowed(let names):
            for name in Self.names(names) { change(name, isElsewhere) { _ in } }
        case .harmless(let lines):
            for line in lines.parts(at: "\n", omittingEmpty: true) {
                let parts = line.parts(at: ":")
                for option in Self.names(parts[1]) { set(option, of: parts[0], .harmless, isElsewhere) }
            }
        case .refused(let names, let reason):
            for name in Self.names(names) { change(name, isElsewhere) { $0.refusal = reason } }
        case .options(let names, let options, let verdict):
            for name in Self.names(names) {
                for option in Self.names(options) { set(option, of: name, verdict, isElsewhere) }
            }
        case .flag(let names, let option, let flag, let reason):
            for name in Self.names(names) {
                change(name, isElsewhere) { $0.flags.append(Flag(option: option, name: flag, reason: reason)) }
            }
        }
    }

    private mutating func change(_ name: String, _ isElsewhere: Bool, _ body: (inout Component) -> Void) {
        body(&components[name, default: Component()])
        if !isElsewhere { components[name]!.isElsewhere = false }
    }

    private mutating func set(_ option: String, of name: String, _ verdict: Verdict, _ isElsewhere: Bool) {
        change(name, isElsewhere) { $0.options[option] = verdict }
        if isElsewhere { elsewhere.insert("\(name) \(option)") } else { elsewhere.remove("\(name) \(option)") }
    }
}
