import Crypto
import Foundation
import Uploads

/// Retries without the pauses that a network wants.
extension RetryRule {
    static let quick = RetryRule(retryTime: .seconds(20), firstPause: .milliseconds(1), longestPause: .milliseconds(10))
}

/// Bytes that look like no others.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer[index] = UInt8(truncatingIfNeeded: state >> 24)
        }
        written = count
    }
}

func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined() }

extension UploadSink {
    /// In pieces, as a muxer would.
    func write(_ bytes: [UInt8], pieces: Int = 32 * 1_024) throws {
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            try bytes[start..<min(start + pieces, bytes.count)].withUnsafeBytes { try write($0) }
        }
    }
}

/// What a program prints.
func run(_ program: String, _ arguments: String...) throws -> Data {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return data
}

/// The error of what must fail.
func uploadError(_ body: () throws -> Void) -> UploadError? {
    do {
        try body()
        return nil
    } catch { return error as? UploadError }
}

/// Runs it on a thread of its own and waits, so that another can interrupt it.
func inBackground<T: Sendable>(_ body: @escaping @Sendable () throws -> T) -> Future<T> {
    let future = Future<T>()
    Thread.detachNewThread { future.set(Result { try body() }) }
    return future
}

final class Future<T: Sendable>: @unchecked Sendable {  // `result` is guarded by `condition`.
    private let condition = NSCondition()
    private var result: Result<T, any Error>?

    func set(_ value: Result<T, any Error>) {
        condition.withLock {
            result = value
            condition.broadcast()
        }
    }

    /// Fails when it takes longer.
    func value(within seconds: Double) throws -> T {
        try condition.withLock {
            let deadline = Date(timeIntervalSinceNow: seconds)
            while result == nil { if !condition.wait(until: deadline) { throw HarnessError("nothing within \(seconds) s") } }
            return try result!.get()
        }
    }
}

/// Polls for what nothing announces.
func eventually(_ what: String, within seconds: Double = 30, _ condition: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try !condition() {
        guard Date() < deadline else { throw HarnessError("\(what) did not come within \(seconds) s") }
        Thread.sleep(forTimeInterval: 0.005)
    }
}
