import StreamWriter
import Testing
import WriterAPI

/// Everything the installed libav has is judged, and everything that is judged exists. A new version
/// of libav fails this with the names of what is to be read and judged; until then it is refused.
@Suite struct JudgementDriftTests {
    private static let unjudgedMessage: Comment =
        "Read what libav does with these, then add them to Sources/WriterAPI/Policy/…Judgements.swift."
    private static let goneMessage: Comment = "These are judged, but not in this libav: under the release that has them, under elsewhere, or out."
    private static let hereMessage: Comment = "These are judged as another release's, and are in this libav as well."

    /// Others than the two are not read; the later one is nearer to what comes after it.
    private static let installed: JudgementTable.Releases = Capabilities.libraryVersions["libavutil"]!.hasPrefix("57.") ? .ffmpeg5 : .ffmpeg7

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
            for (name, judgement) in kind.table.components where judgement.releases.contains(Self.installed) {
                guard names.contains(name) else {
                    gone.append(name)
                    continue
                }
                let options = OptionInspection.options(of: kind.component(name)) ?? [:]
                gone += judgement.options.keys.filter { option in
                    judgement.optionReleases[option]!.contains(Self.installed) && options[option] == nil
                }.map { "\(name) \($0)" }
                gone += judgement.flags.filter { options[$0.option] == nil }.map { "\(name) \($0.option)" }
            }
            #expect(gone.sorted() == [], Self.goneMessage)
        }
    }

    @Test func whatIsSaidToBeOfOtherReleasesIsNotInThisOne() {
        for kind in kinds {
            var here: [String] = []
            for name in kind.names {
                guard let judgement = kind.table[name] else { continue }
                if !judgement.releases.contains(Self.installed) { here.append(name) }
                // One that takes no text any more needs no judgement.
                let text = (OptionInspection.options(of: kind.component(name)) ?? [:]).filter(\.value).keys
                here += text.filter { judgement.optionReleases[$0].map { !$0.contains(Self.installed) } ?? false }.map { "\(name) \($0)" }
            }
            #expect(here.sorted() == [], Self.hereMessage)
        }
    }

    /// A harmless one needs no judgement unless it takes text, so that the lists stay to be read.
    @Test func onlyOptionsThatTakeTextAreJudgedHarmless() {
        for kind in kinds {
            for name in kind.names {
                guard let judgement = kind.table[name] else { continue }
                let options = OptionInspection.options(of: kind.component(name)) ?? [:]
                let idle = judgement.options.filter { option, verdict in
                    verdict == .harmless && options[option] == false && judgement.optionReleases[option]!.contains(Self.installed)
                }.keys
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
