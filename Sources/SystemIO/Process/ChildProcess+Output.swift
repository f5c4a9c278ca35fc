import CLinux
import Glibc
import Threading

extension ChildProcess {
    private static let mostOutput = 64 * 1_024

    /// Runs a program to its end, or for `time` and kills it then: what it wrote to its standard streams, up to 64 KiB.
    /// Not in a process that reaps children elsewhere.
    public static func run(
        _ executable: String, _ arguments: [String], within time: Duration
    ) throws(SystemError) -> (end: ProcessEnd, output: [UInt8]) {
        let (own, others) = try DescriptorPair.messageSockets().split()
        let reading = Descriptor(owning: own)
        defer { _ = reading.number }
        let identifier: Int32
        do {
            // The child's alone, so that its end is seen.
            let writing = Descriptor(owning: others)
            defer { _ = writing.number }
            identifier = try spawn(executable, arguments: arguments, passing: [(writing.number, STDOUT_FILENO), (writing.number, STDERR_FILENO)])
        }
        let output = collect(from: reading.number, until: .after(time))
        if output == nil { kill(identifier, SIGKILL) }
        var status: Int32 = 0
        try retryingOnInterrupt("wait for \(executable)") { waitpid(identifier, &status, 0) }
        return (ProcessEnd(waitStatus: status), output ?? [])
    }

    /// Until the other end is closed; nil: it was not, in time.
    private static func collect(from descriptor: Int32, until deadline: Deadline) -> [UInt8]? {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: mostOutput)
        while true {
            let progress = buffer.withUnsafeMutableBytes { Socket.receive(descriptor, into: [$0], limit: $0.count, deadline: deadline) }
            switch progress {
            case .moved(let count): output += buffer[..<min(count, mostOutput - output.count)]
            case .ended: return output
            case .timedOut: return nil
            }
        }
    }
}
