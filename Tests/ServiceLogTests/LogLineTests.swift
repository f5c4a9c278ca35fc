import Logging
import ServiceLog
import Testing
import WriterModel

@Suite struct LogLineTests {
    private func line(_ message: String, _ fields: Logger.Metadata, as format: LineLogHandler.Format, _ level: Logger.Level = .info) -> String {
        let moment = Timestamp(secondsSinceEpoch: 1, nanoseconds: 5_000_000)
        return String(decoding: LogLine(moment, level, message, fields).bytes(as: format), as: UTF8.self)
    }

    @Test func aLineIsReadAsItWasMeant() {
        let fields: Logger.Metadata = ["writer": "w_1", "detail": "two words", "bytes": "12"]
        #expect(line("a writer failed", fields, as: .text, .warning)
            == "1970-01-01T00:00:01.005Z WARNING a writer failed bytes=12 detail=\"two words\" writer=w_1\n")
        #expect(line("a writer failed", fields, as: .json, .warning)
            == #"{"time":"1970-01-01T00:00:01.005Z","level":"warning","message":"a writer failed","bytes":12,"detail":"two words","writer":"w_1"}"# + "\n")
    }

    /// By the table of fields, and as text where a value is none.
    @Test func numbersAreNumbersAndTextIsText() {
        let fields: Logger.Metadata = ["status": "200", "duration_ms": "0.125", "seccomp": "true", "writer": "12", "count": "many", "log": ["a", "b c"]]
        #expect(line("m", fields, as: .json).contains(
            #""count":"many","duration_ms":0.125,"log":["a","b c"],"seccomp":true,"status":200,"writer":"12"}"#))
        #expect(line("m", fields, as: .text).contains(#"log=["a","b c"] seccomp=true status=200 writer=12"#))
    }

    @Test(arguments: ["a\nERROR b", "a\r\nb", "a\u{1B}[31mb", "a\u{9B}31mb", "a\u{2028}b", "a\u{202E}b", "a\u{7F}b", "a\0b", "e\u{301}\n"], [LineLogHandler.Format.text, .json])
    func whatAClientChoseIsOneLineAndNoCommand(text: String, format: LineLogHandler.Format) throws {
        let line = line("GET /\(text) 200", ["path": "\(text)", "log": [.string(text)]], as: format)
        let forbidden = line.dropLast().unicodeScalars.filter { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || [0x2028, 0x202E].contains($0.value) }
        #expect(forbidden.isEmpty && line.hasSuffix("\n"), "\(line)")
        guard format == .json, case .object(let object) = try JSONParser.parse(Array(line.dropLast().utf8)) else { return }
        #expect(object["path"]?.stringValue?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }

    @Test func noFieldStandsForWhatEachLineHas() throws {
        let line = line("m", ["level": "debug", "time": "never", "message": "x"], as: .json)
        #expect(line == #"{"time":"1970-01-01T00:00:01.005Z","level":"info","message":"m"}"# + "\n")
    }
}
