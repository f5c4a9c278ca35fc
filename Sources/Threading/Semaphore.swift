/// Lets so many threads at a time pass; the others wait for their turn.
public final class Semaphore: Sendable {
    private let free: Monitor<Int>

    public init(_ places: Int) { free = Monitor(max(1, places)) }

    public func passing<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        _ = free.wait { free -> Bool? in
            if free == 0 { return nil }
            free -= 1
            return true
        }
        defer { free.changeForOne { $0 += 1 } }
        return try body()
    }
}
