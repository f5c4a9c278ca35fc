/// A text that nothing prints: neither a description, nor an error, nor `dump`.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What stands for it wherever it would be shown.
    package static let shown = "…"

    /// The text itself, for where it is sent or signed with.
    package let revealed: String

    package init(_ text: String) { revealed = text }

    package var description: String { Self.shown }
    package var debugDescription: String { Self.shown }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static func == (one: Secret, other: Secret) -> Bool { one.revealed.utf8.elementsEqual(other.revealed.utf8) }
}
