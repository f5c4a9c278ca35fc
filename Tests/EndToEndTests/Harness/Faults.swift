import Foundation

/// How hard the fault suite tries: PENSTOCK_FAULT_SCALE times as often as in `make test`, from
/// PENSTOCK_FAULT_SEED on.
enum FaultScale {
    static let factor = ProcessInfo.processInfo.environment["PENSTOCK_FAULT_SCALE"].flatMap { Double($0) } ?? 1
    static let seed = ProcessInfo.processInfo.environment["PENSTOCK_FAULT_SEED"].flatMap { UInt64($0) } ?? 20_260_101

    static func scaled(_ count: Int) -> Int { max(1, Int(Double(count) * factor)) }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ index: Int, seed: UInt64 = FaultScale.seed) { state = seed &+ UInt64(index) &* 0xD134_2543_DE82_EF95 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

/// Runs `body` for each index, `width` of them at a time.
func inParallel(_ count: Int, width: Int = 8, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<count {
            if index >= width { try await group.next() }
            group.addTask { try await body(index) }
        }
        try await group.waitForAll()
    }
}

/// Asks again and again until `condition` holds; false when it did not in time.
func eventually(within seconds: Double = 20, _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}

func secondsOf(_ body: () async throws -> Void) async rethrows -> Double {
    let started = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - started) / .seconds(1)
}

extension Double {
    /// With two digits behind the point, for what a test prints.
    var short: String { String(format: "%.2f", self) }
}
