/// Ends a subscription; what it was for is not told of any more.
public typealias CancelWake = @Sendable () -> Void

/// Those that are told, once, of something they wait for. State to be kept behind a lock; call what
/// `takeAll` gives outside it.
public struct WakeList: Sendable {
    public typealias Wake = @Sendable () -> Void

    private var wakes: [UInt64: Wake] = [:]
    private var last: UInt64 = 0

    public init() {}

    public var count: Int { wakes.count }

    /// Its number, for `remove`.
    public mutating func add(_ wake: @escaping Wake) -> UInt64 {
        last += 1
        wakes[last] = wake
        return last
    }

    public mutating func remove(_ number: UInt64) { wakes[number] = nil }

    public mutating func takeAll() -> [Wake] {
        if wakes.isEmpty { return [] }
        defer { wakes = [:] }
        return Array(wakes.values)
    }
}
