/// What became of a claim: whether the gateway can tell the writer's files from others' once all processes are gone.
public enum ClaimReceipt: UInt8, Sendable {
    case kept
    /// The disk is full.
    case noSpace
    case notKept
}
