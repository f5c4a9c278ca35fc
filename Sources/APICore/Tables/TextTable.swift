/// Columns of text under their headings, for a terminal. All that is put into it comes out harmless.
package struct TextTable {
    package struct Column {
        let heading: String
        /// Numbers stand on the right.
        var isNumber = false
        /// Longer cells are cut.
        var most = 64
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    /// Cells of the last column go on in further lines; otherwise they are cut.
    private let wrapsLast: Bool

    private static let gap = 2
    private static let leastLast = 16

    /// The last column has what the others leave of a line.
    package init(_ columns: [Column], wrapsLast: Bool = false) {
        self.columns = columns
        self.wrapsLast = wrapsLast
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// A cell for each column.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells.map(TerminalText.harmless))
    }

    /// Columns whose cells are all empty are left out.
    package func lines(width: Int) -> [String] {
        let shown = columns.indices.filter { index in index == 0 || rows.contains { !$0[index].isEmpty } }
        guard let last = shown.last else { return [] }
        let widths = shown.dropLast().map { index in
            (rows.map { TerminalText.width($0[index]) } + [columns[index].heading.utf8.count]).max().map { min($0, columns[index].most) } ?? 0
        }
        let left = max(Self.leastLast, width - widths.reduce(0) { $0 + $1 + Self.gap })
        var lines: [String] = []
        if columns.contains(where: { !$0.heading.isEmpty }) {
            lines.append(line(shown.map { columns[$0].heading }, shown, widths))
        }
        for row in rows {
            let ending = wrapsLast ? TerminalText.wrapped(row[last], to: left) : [TerminalText.cut(row[last], to: left)]
            let first = zip(shown.dropLast(), widths).map { TerminalText.cut(row[$0], to: $1) }
            lines.append(line(first + [ending.first ?? ""], shown, widths))
            let indent = String(repeating: " ", count: widths.reduce(0) { $0 + $1 + Self.gap })
            lines += ending.dropFirst().map { indent + $0 }
        }
        return lines
    }

    private func line(_ cells: [String], _ shown: [Int], _ widths: [Int]) -> String {
        var text = ""
        for (position, cell) in cells.enumerated() {
            guard position < widths.count else {
                text += cell
                break
            }
            let padding = String(repeating: " ", count: max(0, widths[position] - TerminalText.width(cell)))
            text += columns[shown[position]].isNumber ? padding + cell : cell + padding
            text += String(repeating: " ", count: Self.gap)
        }
        while text.utf8.last == UInt8(ascii: " ") { text.removeLast() }
        return text
    }
}

extension TextTable.Column: ExpressibleByStringLiteral {
    package init(stringLiteral heading: String) { self.init(heading: heading) }
}
