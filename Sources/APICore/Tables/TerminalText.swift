import Bytewise

/// Text on one line of a terminal.
package enum TerminalText {
    /// The same with all escaped that a terminal would act on or would not show: control characters, those that
    /// change the direction of text, those without a width, marks that pile up on one character. Written as Python's
    /// repr does: `\x1b`, `\u202e`.
    package static func harmless(_ text: String) -> String {
        if text.isPrintableASCII { return text }
        var shown = String.UnicodeScalarView()
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = width(scalar) == 0 ? marks + 1 : 0
            switch scalar.properties.generalCategory {
            case _ where marks > mostMarks: shown.append(contentsOf: escaped(scalar).unicodeScalars)
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                shown.append(contentsOf: escaped(scalar).unicodeScalars)
            case .spaceSeparator: shown.append(" ")
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }

    private static let mostMarks = 4

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\t": #"\t"#
        case "\n": #"\n"#
        case "\r": #"\r"#
        case _ where scalar.value < 0x100: #"\x"# + hexadecimal(scalar.value, 2)
        case _ where scalar.value < 0x1_0000: #"\u"# + hexadecimal(scalar.value, 4)
        default: #"\U"# + hexadecimal(scalar.value, 8)
        }
    }

    private static func hexadecimal(_ value: UInt32, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// How many columns a harmless text takes.
    package static func width(_ text: String) -> Int {
        text.isPrintableASCII ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width($1) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// Unicode's East_Asian_Width W and F, in whole blocks.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    /// At most `most` columns of it, with an ellipsis where there are more.
    package static func cut(_ text: String, to most: Int) -> String {
        if text.isPrintableASCII && text.utf8.count <= most { return text }
        var kept = String.UnicodeScalarView()
        var columns = 0
        // The place of the ellipsis, should one be needed.
        var lastEnd = kept.endIndex
        for scalar in text.unicodeScalars {
            let own = width(scalar)
            if columns + own > most { return String(String.UnicodeScalarView(kept[..<lastEnd])) + "…" }
            kept.append(scalar)
            columns += own
            if columns < most { lastEnd = kept.endIndex }
        }
        return String(kept)
    }

    /// As lines of at most `most` columns, cut at spaces where there are some.
    package static func wrapped(_ text: String, to most: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.parts(at: " ", omittingEmpty: true) {
            for piece in pieces(of: word, most) {
                if line.isEmpty {
                    line = piece
                } else if width(line) + 1 + width(piece) <= most {
                    line += " " + piece
                } else {
                    lines.append(line)
                    line = piece
                }
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// A word that is longer than a line.
    private static func pieces(of word: String, _ most: Int) -> [String] {
        if width(word) <= most { return [word] }
        var pieces: [String] = []
        var piece = String.UnicodeScalarView()
        var columns = 0
        for scalar in word.unicodeScalars {
            let own = width(scalar)
            if columns + own > most {
                pieces.append(String(piece))
                piece = String.UnicodeScalarView()
                columns = 0
            }
            piece.append(scalar)
            columns += own
        }
        return pieces + [String(piece)]
    }
}
