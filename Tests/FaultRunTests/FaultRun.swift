import Foundation
import Testing

/// Runs of the program fault-run, which tries what it is told in processes of their own.
enum FaultRun {
    struct Line: Sendable, Equatable {
        /// "filter crop", "muxer mp4".
        let subject: String
        let name: String
        let result: String

        var gaveOutput: Bool { result.hasPrefix("= ") }
        /// Nil where it ended as it should: with output, or an error that says why there is none.
        var fault: String? {
            if result.hasSuffix(" overran") { return "writes past its memory" }
            return gaveOutput || result.hasPrefix("refused: ") ? nil : result
        }
    }

    /// What two runs came to whose unwritten memory differs.
    struct Comparison {
        let lines: [Line]
        /// A line for each subject with a fault, with the first case of it.
        let findings: [String]
        let withoutOutput: [String]
    }

    private static let program: String = {
        // .build/release/penstockPackageTests.xctest, or what is in it.
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("fault-run").path), folder.path != "/" {
            folder.deleteLastPathComponent()
        }
        return folder.appendingPathComponent("fault-run").path
    }()

    /// The lines of one run over subjects such as "filter\tcrop".
    static func lines(of subjects: [String], guardByte: UInt8) async throws -> [Line] {
        let text = try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: the few that tests share are not for waiting.
            Thread.detachNewThread { continuation.resume(with: Result { try output(of: subjects, guardByte: guardByte) }) }
        }
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let words = parts[0].split(separator: " ", maxSplits: 2).map(String.init)
            return Line(
                subject: words[0] + " " + words[1], name: words.count > 2 ? words[2] : "", result: parts.count > 1 ? parts[1] : "")
        }
    }

    private struct Failure: Error { let status: Int32 }

    private static func output(of subjects: [String], guardByte: UInt8) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        // New blocks hold zeros and have the tails of the encoders' heap; what lies between them does not.
        process.arguments = ["0", "1", "\(guardByte)"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(subjects.map { $0 + "\n" }.joined().utf8))
        try input.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
        return String(decoding: data, as: UTF8.self)
    }

    /// The same subjects twice, side by side.
    static func compare(_ subjects: [String]) async throws -> Comparison {
        async let first = lines(of: subjects, guardByte: 17)
        async let second = lines(of: subjects, guardByte: 200)
        let (one, other) = try await (first, second)
        var findings = Self.first(of: one.compactMap { line in line.fault.map { (line, $0) } })
        // A case that ends for its time in one of them is a finding already.
        let others = Dictionary(other.map { ($0.subject + $0.name, $0) }, uniquingKeysWith: { first, _ in first })
        findings += Self.first(
            of: one.filter { line in others[line.subject + line.name].map { $0.result != line.result } ?? false }
                .map { ($0, "gives what was never written") })
        return Comparison(lines: one, findings: findings.sorted(), withoutOutput: withoutOutput(one, subjects))
    }

    /// The subjects in two halves, side by side: only whether each case ends.
    static func run(_ subjects: [String]) async throws -> Comparison {
        let halves = [0, 1].map { half in subjects.indices.filter { $0 % 2 == half }.map { subjects[$0] } }
        async let first = lines(of: halves[0], guardByte: 17)
        async let second = lines(of: halves[1], guardByte: 17)
        let all = try await first + second
        return Comparison(
            lines: all, findings: Self.first(of: all.compactMap { line in line.fault.map { (line, $0) } }).sorted(),
            withoutOutput: withoutOutput(all, subjects))
    }

    private static func first(of faults: [(Line, String)]) -> [String] {
        Dictionary(grouping: faults) { "\($0.0.subject): \($0.1)" }.map { key, cases in
            "\(key), in \(cases.count) cases, as in \(cases[0].0.name)"
        }
    }

    private static func withoutOutput(_ lines: [Line], _ subjects: [String]) -> [String] {
        let given = Set(lines.filter(\.gaveOutput).map(\.subject))
        return subjects.map { $0.replacingOccurrences(of: "\t", with: " ") }.filter { !given.contains($0) }.sorted()
    }
}
