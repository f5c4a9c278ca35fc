/// How many connections are open, in all and of each address that is counted.
struct OpenConnections {
    private(set) var total = 0
    private var byAddress: [String: Int] = [:]

    /// The counts with this one.
    mutating func add(_ address: String?) -> (total: Int, ofAddress: Int) {
        total += 1
        guard let address else { return (total, 0) }
        byAddress[address, default: 0] += 1
        return (total, byAddress[address]!)
    }

    mutating func remove(_ address: String?) {
        total -= 1
        guard let address, let count = byAddress[address] else { return }
        byAddress[address] = count > 1 ? count - 1 : nil
    }
}
