import Foundation
import StreamWriter
import Testing

/// What the encoders' own libraries say there is, as ffmpeg prints it where a value is none of it.
@Suite struct HiddenChoiceTests {
    private static func printed(_ label: String, _ encoder: String, _ option: String) throws -> [String] {
        let command = "ffmpeg -hide_banner -f lavfi -i color=s=64x64:d=0.1 -c:v \(encoder) -\(option) none-of-them -f null - 2>&1 || true"
        let lines = String(decoding: try run(["sh", "-c", command]), as: UTF8.self).split(separator: "\n").map(String.init)
        let line = try #require(lines.first { $0.contains(label) }, "\(lines)")
        return line.components(separatedBy: label)[1].split(separator: " ").map(String.init)
    }

    @Test(arguments: [
        ("libx264", "preset", "Possible presets:"), ("libx264", "tune", "Possible tunes:"), ("libx264", "profile", "Possible profiles:"),
        ("libx265", "preset", "Possible presets:"), ("libx265", "tune", "Possible tunes:"), ("libx265", "profile", "Possible profiles:"),
    ])
    func choicesThatLibavHidesAreTheLibrarys(encoder: String, option: String, label: String) throws {
        let capability = try #require(Capabilities.encoder(named: encoder))
        let choices = try #require(capability.options.first { $0.name == option }).choices
        #expect(choices.map(\.name) == (try Self.printed(label, encoder, option + (option == "profile" ? ":v" : ""))))
        #expect(choices.allSatisfy { $0.value == $0.name })
    }

    @Test func levelsAreChoicesOfX264() throws {
        let level = try #require(Capabilities.encoder(named: "libx264")?.options.first { $0.name == "level" })
        #expect(level.choices.map(\.name).contains("1b") && level.choices.last?.name == "6.2")
    }

    @Test func oneFilterIsTheListsOwn() throws {
        let all = Capabilities.filters()
        for name in ["scale", "volume", "drawtext"] {
            #expect(Capabilities.filter(named: name) == all.first { $0.name == name })
        }
        #expect(Capabilities.filter(named: "no-such-filter") == nil)
    }
}
