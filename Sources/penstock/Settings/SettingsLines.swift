import Bytewise
import YAML

/// What a file's lines show of mistakes that YAML's grammar has no good word for.
struct SettingsLines {
    /// Tabs before the first word of a line.
    private(set) var tabs: [YAMLMark] = []
    /// Lines NAME = VALUE.
    private(set) var oldForm: [(name: String, mark: YAMLMark)] = []

    init(_ bytes: [UInt8]) {
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let indent = line.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            let rest = line.dropFirst(indent.count)
            guard let first = rest.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "\r") else { continue }
            if let tab = indent.firstIndex(of: UInt8(ascii: "\t")) {
                tabs.append(YAMLMark(line: index + 1, column: tab - line.startIndex + 1))
            }
            let name = rest.prefix { $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
            let behind = rest.dropFirst(name.count).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard !name.isEmpty, behind.first == UInt8(ascii: "=") else { continue }
            oldForm.append((String(decoding: name, as: UTF8.self), YAMLMark(line: index + 1, column: indent.count + 1)))
        }
    }
}
