/// `configuring` → `open` → `finalizing` → `closed`, or `failed` from anywhere.
public enum WriterState: String, Sendable, CaseIterable {
    case configuring, open, finalizing, closed, failed

    /// Nothing more can happen to the writer; its encoder has ended or is about to.
    public var isEnded: Bool { self == .closed || self == .failed }
}
