/// Bytes of a packet log that are not what they should be, or more than there may be.
package struct PacketLogError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// They end before they should, or say what can't be.
        case malformed
        case unknownVersion
        /// A record says that it is longer than its reader takes.
        case tooLarge
        /// They are not those that were written.
        case wrongChecksum
        case outOfMemory
        /// What can't be told by bytes.
        case unsayable
    }

    package let kind: Kind
    /// What was wrong, with which field, and what would be right.
    package let reason: String

    package var description: String { reason }

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    static func malformed(_ reason: String) -> PacketLogError { PacketLogError(.malformed, reason) }

    static func version(_ found: UInt8, known: UInt8, of thing: String) -> PacketLogError {
        PacketLogError(.unknownVersion, "\(thing) of version \(found); this program reads version \(known)")
    }

    static func outOfMemory(_ bytes: Int, for thing: String) -> PacketLogError {
        PacketLogError(.outOfMemory, "there is no memory for \(bytes) bytes of \(thing)")
    }
}
