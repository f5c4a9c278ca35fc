import Foundation

/// A program of Tests/Tools that answers each line on its standard input with a line, and ends when that does.
final class LineProgram: @unchecked Sendable {
    // Unchecked: the lock guards both pipes.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let lock = NSLock()
    private var pending = Data()

    /// What it prints first.
    private(set) var greeting = ""

    init(_ program: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
        try process.run()
        greeting = try readLine()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.terminate()
        process.waitUntilExit()
    }

    func ask(_ line: String) throws -> String {
        try lock.withLock {
            try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
            return try readLine()
        }
    }

    private func readLine() throws -> String {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                defer { pending = Data(pending[(end + 1)...]) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw HarnessError("\(process.executableURL!.path) \(process.arguments!) ended before it answered") }
            pending += more
        }
    }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static func tool(_ name: String) -> String { root + "/Tests/Tools/" + name }
}

/// A folder of the test's own, gone with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "penstock-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    static func / (folder: TemporaryFolder, name: String) -> String { folder.path + "/" + name }
}
