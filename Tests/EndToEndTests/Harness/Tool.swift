import Foundation

/// A command-line program, run to its end.
enum Tool {
    struct Result: Sendable {
        var end: ProcessEnd
        var output: Data
        var errors: String
        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program with nothing on its standard input. Throws only when it can't be started or
    /// does not end in time.
    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:], within seconds: Double = 120) async throws -> Result {
        let folder = try TemporaryFolder()
        let streams = [
            open("/dev/null", O_RDONLY | O_CLOEXEC),
            open(folder / "out", O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
            open(folder / "err", O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
        ]
        defer { for stream in streams { close(stream) } }
        let process = try ChildProcess(
            program, arguments, environment: environment, input: streams[0], output: streams[1], error: streams[2])
        let end = try await process.ended(within: seconds)
        return Result(
            end: end, output: try Data(contentsOf: URL(fileURLWithPath: folder / "out")),
            errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder / "err")), as: UTF8.self))
    }

    /// Runs ffmpeg, and throws what it said when it failed.
    @discardableResult
    static func ffmpeg(_ arguments: String...) async throws -> Result {
        let result = try await run("ffmpeg", ["-nostdin", "-hide_banner", "-y"] + arguments)
        guard result.end == .exited(0) else { throw HarnessError("ffmpeg \(arguments): \(result.errors)") }
        return result
    }

    /// ffprobe's view of a file: `streams` with counted frames, and `format`.
    static func ffprobe(_ path: String) async throws -> JSON {
        let result = try await run(
            "ffprobe", ["-v", "error", "-of", "json", "-count_frames", "-show_format", "-show_streams", path])
        guard result.end == .exited(0) else { throw HarnessError("ffprobe \(path): \(result.errors)") }
        return try JSON(result.output)
    }

    /// The average PSNR in dB over all frames of two inputs of ffmpeg; infinite when they are the same.
    static func psnr(_ first: [String], _ second: [String], format: String) async throws -> Double {
        let graph = "[0:v]format=\(format)[a];[1:v]format=\(format)[b];[a][b]psnr"
        let arguments = first + second + ["-lavfi", graph, "-f", "null", "-"]
        let result = try await run("ffmpeg", ["-nostdin", "-hide_banner"] + arguments)
        guard let range = result.errors.range(of: "average:", options: .backwards),
            let value = Double(result.errors[range.upperBound...].prefix { $0 != " " })
        else { throw HarnessError("no PSNR from ffmpeg \(arguments): \(result.errors)") }
        return value
    }
}
