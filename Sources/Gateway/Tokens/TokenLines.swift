import Synchronization
import WriterModel

/// The tokens of a file as it was at one time, and what follows from them for each process.
package final class TokenLines: Sendable {
    package let lines: [TokenLine]
    /// The last line has no newline yet: it may be cut, and does not count.
    package let endsWithinLine: Bool
    /// Of two readings, of whatever file, the later has the larger one.
    let revision: UInt64
    private let salt: [UInt8]
    private let byHash: [TokenHash: TokenLine]
    private let admins: [TokenLine]
    private let byName: [String?: [TokenLine]]
    package let folders: [(name: String?, path: String)]

    private static let readings = Atomic<UInt64>(0)
    /// This process's, for the tokens of a configuration file.
    static let ownSalt = newSalt()

    static func newSalt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<TokenHash.saltBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// Of all folders together, where there is a name without one: its encoders are told of them.
    private static let mostFolderBytes = 64 * 1_024

    /// As many as one message tells an encoder of.
    package static let mostReachingOneWriter = (TokenTable.maxBytes - 16 * 1_024) / 16

    /// A line counts with its newline. Throws the first flaw there is.
    package convenience init(_ bytes: UnsafeRawBufferPointer, salt: [UInt8]) throws(TokenLine.Flaw) {
        var lines: [TokenLine] = []
        // Editors of Windows put a byte order mark before the first line: no part of its token.
        var rest = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        var number = 0
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            number += 1
            var line = rest[..<end]
            rest = rest[(end + 1)...]
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            if let line = try TokenLine(UnsafeRawBufferPointer(rebasing: line), number: number, salt: salt) {
                lines.append(line)
            }
        }
        try self.init(lines, salt: salt, endsWithinLine: !rest.isEmpty)
    }

    /// Those of a configuration file. Throws the first flaw there is among them.
    package convenience init(configured lines: [TokenLine]) throws(TokenLine.Flaw) {
        try self.init(lines, salt: Self.ownSalt, endsWithinLine: false)
    }

    private init(_ lines: [TokenLine], salt: [UInt8], endsWithinLine: Bool) throws(TokenLine.Flaw) {
        self.endsWithinLine = endsWithinLine
        revision = Self.readings.add(1, ordering: .relaxed).newValue
        self.salt = salt
        self.lines = try Self.merged(lines)
        try Self.requireFoldersApart(self.lines)
        folders = self.lines.compactMap { line in line.limits.folder.map { (name: line.name, path: $0) } }
        try Self.requireFewFolders(self.lines)
        byHash = Dictionary(uniqueKeysWithValues: self.lines.map { ($0.hash, $0) })
        byName = Dictionary(grouping: self.lines.filter { !$0.reachesAll }, by: \.name)
        admins = self.lines.filter(\.reachesAll)
        try requireRoom()
    }

    /// All of them: for the gateway itself.
    package var table: TokenTable { table(of: lines) }

    /// Those that reach the writers of this owner, and no others: for an encoder.
    package func table(reaching owner: String?) -> TokenTable { table(of: admins + (byName[owner] ?? [])) }

    /// nil: no line says what the principal's said.
    package func limits(of principal: Principal) -> TokenLimits? {
        guard let line = principal.token.flatMap({ byHash[$0] }), line.name == principal.name,
            line.scopes == principal.scopes
        else { return nil }
        return line.limits
    }

    private func table(of lines: [TokenLine]) -> TokenTable {
        struct Holder: Hashable {
            let name: String?
            let scopes: TokenScopes
        }
        let groups = Dictionary(grouping: lines) { Holder(name: $0.name, scopes: $0.scopes) }
        return TokenTable(
            salt: salt, groups: groups.map { .init(name: $0.name, scopes: $0.scopes, hashes: $1.map(\.hash)) })
    }

    /// One token on two lines that differ could be meant as either: `T read` beside `T` would be everything.
    private static func merged(_ lines: [TokenLine]) throws(TokenLine.Flaw) -> [TokenLine] {
        var merged: [TokenLine] = []
        var places: [TokenHash: Int] = [:]
        for line in lines {
            guard let place = places[line.hash] else {
                places[line.hash] = merged.count
                merged.append(line)
                continue
            }
            let first = merged[place]
            if line.scopes == first.scopes && line.name == first.name && line.limits == first.limits { continue }
            throw TokenLine.Flaw(
                line: line.number, reason: "it has the token of line \(first.number), which allows something else; leave one of them")
        }
        return merged
    }

    /// Folders of different names may not lie within each other.
    private static func requireFoldersApart(_ lines: [TokenLine]) throws(TokenLine.Flaw) {
        let sorted = lines.compactMap { line in line.limits.folder.map { (path: Array($0.utf8) + [UInt8(ascii: "/")], line: line) } }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        // What lies within a folder comes right behind it.
        var outer: [(path: [UInt8], line: TokenLine)] = []
        for inner in sorted {
            while let last = outer.last, !inner.path.starts(with: last.path) { outer.removeLast() }
            if let last = outer.last, last.line.name != inner.line.name {
                throw TokenLine.Flaw(
                    line: max(inner.line.number, last.line.number),
                    reason: "its folder and that of line \(min(inner.line.number, last.line.number)), of another name, lie within each other")
            }
            outer.append(inner)
        }
    }

    /// Those of other names.
    package func folders(beside name: String?) -> [String] {
        var seen = Set<[UInt8]>()
        return folders.filter { $0.name != name && seen.insert(Array($0.path.utf8)).inserted }.map(\.path)
    }

    private static func requireFewFolders(_ lines: [TokenLine]) throws(TokenLine.Flaw) {
        guard let without = lines.first(where: { $0.limits.folder == nil && !$0.reachesAll }) else { return }
        let bytes = lines.reduce(0) { $0 + ($1.limits.folder.map { $0.utf8.count + 3 } ?? 0) }
        if bytes <= mostFolderBytes { return }
        throw TokenLine.Flaw(
            line: without.number,
            reason: "it has a name and no folder=, and those of the other lines are more than \(mostFolderBytes) bytes together; give it one")
    }

    private func requireRoom() throws(TokenLine.Flaw) {
        let most = byName.max { $0.value.count < $1.value.count }
        if table(reaching: most?.key ?? nil).encodedBytes <= TokenTable.maxBytes { return }
        let name = (most?.key).flatMap { $0 }.map { "of the name \($0) and " } ?? ""
        throw TokenLine.Flaw(
            line: (most?.value.last ?? admins.last)?.number ?? 0,
            reason: "there are too many tokens \(name)that see every writer; one writer may be reached by about \(Self.mostReachingOneWriter)")
    }
}

extension TokenLines: Equatable {
    package static func == (left: TokenLines, right: TokenLines) -> Bool { left.lines == right.lines }
}

extension TokenLine {
    /// Every owner's writers.
    var reachesAll: Bool { name == nil || scopes.contains(.admin) }
}
