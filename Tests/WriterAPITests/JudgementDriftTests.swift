import StreamWriter
import Testing
import WriterAPI

/// Everything the installed libav has is judged, and everything that is judged exists. A new version
/// of libav fails this with the names of what is to be read and judged; until then it is refused.
@Suite struct JudgementDriftTests {
    private static let unjudgedMessage: Comment =
        "Read what libav does with these, then add them to Sources/WriterAPI/Policy/…Judgements.swift."
    private static let goneMessage: Comment = "These are judged, but not in this libav: under elsewhere, or out."

    private struct Kind {
        let table: JudgementTable
        let names: [String]
        let component: (String) -> OptionInspection.Component
    }

    private var kinds: [Kind] {
        [
            Kind(table: .filters, names: Capabilities.filters().map(\.name)) { .filter($0) },
            Kind(table: .encoders, names: (Capabilities.encoders(.audio) + Capabilities.encoders(.video)).map(\.name)) { .encoder($0) },
            Kind(table: .muxers, names: (Capabilities.muxers() + Capabilities.outputDevices()).map(\.name)) { .muxer($0) },
            Kind(table: .protocols, names: OptionInspection.protocols) { .proto($0) },
            Kind(table: .everyFilter, names: ["*"]) { _ in .everyFilter },
            Kind(table: .everyEncoder, names: ["*"]) { _ in .everyEncoder },
            Kind(table: .everyMuxer, names: ["*"]) { _ in .everyMuxer },
        ]
    }

    @Test func everyComponentIsJudged() {
        for kind in kinds {
            #expect(kind.names.filter { kind.table[$0] == nil } == [], Self.unjudgedMessage)
        }
    }

    @Test func everyOptionThatTakesTextIsJudged() throws {
        var count = 0
        for kind in kinds {
            var unjudged: [String] = []
            for name in kind.names {
                let options = try #require(OptionInspection.options(of: kind.component(name)), "\(name)")
                let judgement = kind.table[name]
                if judgement?.refusal != nil { continue }
                let text = options.filter(\.value).keys
                count += text.count
                unjudged += text.filter { judgement?.options[$0] == nil }.map { "\(name) \($0)" }
            }
            #expect(unjudged.sorted() == [], Self.unjudgedMessage)
        }
        // Or the walk has walked nowhere.
        #expect(count > 700)
    }

    @Test func everyJudgementIsOfSomethingThatExists() {
        for kind in kinds {
            let names = Set(kind.names)
            var gone: [String] = []
            for (name, judgement) in kind.table.components {
                guard names.contains(name) else {
                    if !judgement.isElsewhere { gone.append(name) }
                    continue
                }
                let options = OptionInspection.options(of: kind.component(name)) ?? [:]
                for option in Array(judgement.options.keys) + judgement.flags.map(\.option)
                where options[option] == nil && !kind.table.elsewhere.contains("\(name) \(option)") {
                    gone.append("\(name) \(option)")
                }
            }
            #expect(gone.sorted() == [], Self.goneMessage)
        }
    }

    /// A harmless one needs no judgement unless it takes text, so that the lists stay to be read.
    @Test func onlyOptionsThatTakeTextAreJudgedHarmless() {
        for kind in kinds {
            for name in kind.names {
                let options = OptionInspection.options(of: kind.component(name)) ?? [:]
                let idle = (kind.table[name]?.options ?? [:]).filter { $0.value == .harmless && options[$0.key] == false }.keys
                #expect(idle.sorted() == [], "\(name)")
            }
        }
    }

    @Test func reasonsSayWhatWouldBeReached() {
        for kind in kinds {
            for (name, judgement) in kind.table.components {
                if let reason = judgement.refusal { #expect(reason.count > 10 && !reason.hasSuffix("."), "\(name)") }
                for case (let option, .refused(let reason)) in judgement.options {
                    #expect(reason.count > 10 && !reason.hasSuffix("."), "\(name) \(option)")
                }
            }
        }
    }
}
