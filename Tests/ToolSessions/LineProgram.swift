import Foundation

/// A program of Tests/Tools that answers each line on its standard input with a line, and ends when that does.
public final class LineProgram: @unchecked Sendable {
    // Unchecked: the lock guards both pipes.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let lock = NSLock()
    private var pending = Data()

    /// What it prints first.
    public private(set) var greeting = ""

    public init(_ program: String, _ arguments: [String]) throws {
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

    public func ask(_ line: String) throws -> String {
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
            if more.isEmpty { throw LineProgramError("\(process.executableURL!.path) \(process.arguments!) ended before it answered") }
            pending += more
        }
    }
}

/// It ended before it answered.
public struct LineProgramError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Where the tools are.
public enum Tools {
    public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static func path(_ name: String) -> String { repository + "/Tests/Tools/" + name }
}
