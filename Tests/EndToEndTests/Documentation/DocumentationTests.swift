import Foundation
import Testing

extension EndToEnd {
    /// What the documents say is there.
    @Suite struct DocumentationTests {
        /// Every page, relative to the repository.
        static func pages() throws -> [String] {
            let files = FileManager.default
            let top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
            let below = ["docs", "deploy", "bench"].flatMap { (folder: String) -> [String] in
                let names = files.enumerator(atPath: Repository.root + "/" + folder)?.compactMap { $0 as? String } ?? []
                return names.map { folder + "/" + $0 }
            }
            let pages = top + below.filter { $0.hasSuffix(".md") }.sorted()
            try #require(pages.count > 25)
            return pages
        }

        private static func text(_ page: String) throws -> String {
            try String(contentsOfFile: Repository.root + "/" + page, encoding: .utf8)
        }

        private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: Repository.root + "/" + path) }

        @Test func filesAndFoldersThatAPageNamesExist() throws {
            var named = 0
            for page in try Self.pages() where page != "CHANGELOG.md" {
                // In code, without a pattern's characters: `Sources/WriterAPI/Policy`.
                let paths = try Self.text(page).matches(of: /`((?:Sources|Tests|docs|scripts|deploy|media)\/[A-Za-z0-9_+.\/-]+)`/)
                named += paths.count
                #expect(paths.map { String($0.1) }.filter { !Self.exists($0) } == [], "\(page)")
            }
            #expect(named > 50)
        }

        @Test func relativeLinksLeadToAPageAndItsHeading() throws {
            var followed = 0
            for page in try Self.pages() {
                for link in PageLink.all(in: try Self.text(page)) where !link.target.contains(":") {
                    followed += 1
                    let target = link.target.isEmpty ? page : PageLink.path(link.target, from: page)
                    #expect(Self.exists(target), "\(page): \(link.target)")
                    guard let heading = link.heading, Self.exists(target) else { continue }
                    #expect(PageLink.headings(in: try Self.text(target)).contains(heading), "\(page): \(link.target)#\(heading)")
                }
            }
            #expect(followed > 150)
        }

        @Test func everyAlertIsOnThePageThatSaysWhatToDo() throws {
            let rules = try Self.text("deploy/prometheus/alerts.yaml").matches(of: /- alert: (\w+)/).map { String($0.1) }
            let page = try Self.text("docs/operations/monitoring.md")
            #expect(rules.count > 10 && rules.filter { !page.contains("| `\($0)` |") } == [])
        }

        @Test func diagramsFitATerminal() throws {
            let lines = MarkdownLine.all(in: try Self.text("docs/development/architecture.md"))
            #expect(lines.filter { $0.isCode && $0.text.count > 80 }.map(\.text) == [])
        }
    }
}

/// A line of a page, and whether it is in a block of code.
struct MarkdownLine {
    let text: String
    let isCode: Bool

    static func all(in page: String) -> [MarkdownLine] {
        var isCode = false
        return page.components(separatedBy: "\n").map { line in
            let isFence = line.hasPrefix("```")
            if isFence { isCode.toggle() }
            return MarkdownLine(text: line, isCode: isCode && !isFence)
        }
    }
}

/// `[text](target#heading)`.
struct PageLink {
    let target: String
    let heading: String?

    static func all(in page: String) -> [PageLink] {
        let prose = MarkdownLine.all(in: page).filter { !$0.isCode }.map(\.text).joined(separator: "\n")
        return prose.matches(of: /\]\(([^()\s#]*)(?:#([^()\s]+))?\)/).map { PageLink(target: String($0.1), heading: $0.2.map(String.init)) }
    }

    /// A path relative to the folder of a page, relative to the repository.
    static func path(_ target: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// The names that GitHub gives a page's headings: small letters, without punctuation, blanks as hyphens; a second
    /// one of a name has a number behind it.
    static func headings(in page: String) -> Set<String> {
        var seen: [String: Int] = [:]
        var names: Set<String> = []
        for line in MarkdownLine.all(in: page) where !line.isCode {
            guard let title = line.text.firstMatch(of: /^#{1,6} +(.+)$/)?.1 else { continue }
            let name = String(title.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.map { $0 == " " ? "-" : $0 })
            let count = seen[name, default: 0]
            seen[name] = count + 1
            names.insert(count == 0 ? name : "\(name)-\(count)")
        }
        return names
    }
}
