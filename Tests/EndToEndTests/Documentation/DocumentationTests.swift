import Foundation
import Testing

extension EndToEnd {
    /// What the documents say is there.
    @Suite struct DocumentationTests {
        private static let documents = [
            "README.md", "deploy/README.md", "bench/README.md", "docs/development/architecture.md", "docs/development/changing.md", "docs/security.md",
            "docs/reference/seed-parameters.md", "docs/operations/nodes.md",
        ]

        private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: Repository.root + "/" + path) }

        @Test(arguments: documents)
        func filesAndFoldersThatADocumentNamesExist(document: String) throws {
            let text = try String(contentsOfFile: Repository.root + "/" + document, encoding: .utf8)
            // In code, without a pattern's characters: `Sources/WriterAPI/Policy`.
            let named = text.matches(of: /`((?:Sources|Tests|docs|scripts|deploy|media)\/[A-Za-z0-9_+.\/-]+)`/).map { String($0.1) }
            #expect(named.filter { !Self.exists($0) } == [])
            let folder = document.split(separator: "/").dropLast().map { $0 + "/" }.joined()
            let linked = text.matches(of: /\]\(([A-Za-z0-9_.\/-]+)[^)]*\)/).map { folder + $0.1 }
            #expect(linked.filter { !$0.contains(":") && !Self.exists($0) } == [])
            #expect(!named.isEmpty || !linked.isEmpty)
        }

        @Test func diagramsFitATerminal() throws {
            let text = try String(contentsOfFile: Repository.root + "/docs/development/architecture.md", encoding: .utf8)
            var isCode = false
            var tooWide: [String] = []
            for line in text.components(separatedBy: "\n") {
                if line.hasPrefix("```") { isCode.toggle() } else if isCode && line.count > 80 { tooWide.append(line) }
            }
            #expect(tooWide == [])
        }
    }
}
