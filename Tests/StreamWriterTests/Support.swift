import Foundation
import StreamWriter
import Testing

/// A folder that goes away with the value.
final class TemporaryFolder {
    let url: URL

    init() {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)")
        try! FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appendingPathComponent(name)) }

    /// A new file's descriptor.
    func create(_ name: String) -> Int32 {
        Glibc.open(path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    }

    func destination(_ name: String) -> Destination {
        .file(descriptor: create(name), name: name)
    }
}

/// Of the two releases that Penstock is for.
let isFFmpeg7 = Capabilities.ffmpegVersion.hasPrefix("7.")

/// Runs a program of the PATH; its standard output.
@discardableResult
func run(_ arguments: [String], input: Data? = nil) throws -> Data {
    try #require(try output(of: arguments), "\(arguments.joined(separator: " ")) failed")
}

/// The same, of one that may fail.
func output(of arguments: [String]) throws -> Data? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data : nil
}

/// What ffprobe says about one stream of a file, by its own names.
func probe(_ path: String, stream: Int = 0) throws -> [String: String] {
    let text = try run([
        "ffprobe", "-v", "error", "-count_frames", "-show_streams", "-select_streams", "\(stream)",
        "-of", "default=noprint_wrappers=1", path,
    ])
    return fields(text)
}

func probeFormat(_ path: String) throws -> [String: String] {
    fields(try run(["ffprobe", "-v", "error", "-show_format", "-of", "default=noprint_wrappers=1", path]))
}

/// A value of every packet or frame of a stream, in order.
func probeList(_ path: String, _ section: String, _ entry: String, stream: Int = 0) throws -> [String] {
    let text = try run([
        "ffprobe", "-v", "error", "-show_entries", "\(section)=\(entry)", "-select_streams", "\(stream)",
        "-of", "csv=p=0", path,
    ])
    return String(decoding: text, as: UTF8.self).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false).first.map(String.init) ?? "" }
}

private func fields(_ text: Data) -> [String: String] {
    var fields: [String: String] = [:]
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
        if parts.count == 2 { fields[parts[0]] = parts[1] }
    }
    return fields
}

/// The decoded pictures of a file as raw bytes.
func decodeVideo(_ path: String, format: String) throws -> Data {
    try run([
        "ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo",
        "-pix_fmt", format, "-",
    ])
}

/// The decoded samples of a file as raw bytes.
func decodeAudio(_ path: String, codec: String) throws -> Data {
    try run([
        "ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-f", "data", "-c:a", codec, "-",
    ])
}

/// A made clip: a pattern that differs in every frame, row and column, with a little noise.
func pictures(count: Int, bytesPerFrame: Int, seed: UInt64 = 1) -> Data {
    var state = seed
    var data = Data(count: count * bytesPerFrame)
    data.withUnsafeMutableBytes { bytes in
        for index in bytes.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[index] = UInt8(truncatingIfNeeded: index / 7 + (index / bytesPerFrame) * 3) ^ UInt8(state >> 61)
        }
    }
    return data
}

/// A tone in every channel, as 16-bit samples.
func tone(samples: Int, channels: Int, rate: Int = 48_000) -> Data {
    var values = [Int16]()
    values.reserveCapacity(samples * channels)
    for index in 0..<samples {
        for channel in 0..<channels {
            let phase = Double(index) * Double(220 * (channel + 1)) * 2 * .pi / Double(rate)
            values.append(Int16(sin(phase) * 12_000) &+ Int16(truncatingIfNeeded: (index &* 2_654_435_761) >> 28))
        }
    }
    return values.withUnsafeBytes { Data($0) }
}

extension StreamWriter {
    /// Sends `data` as one chunk, `piece` bytes at a time.
    @discardableResult
    func send(_ data: Data, to stream: Int = 0, pts: Double? = nil, piece: Int = .max) throws -> ChunkReceipt {
        let chunk = try beginChunk(stream: stream, pts: pts)
        try data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = min(piece, bytes.count - done)
                try chunk.write(UnsafeRawBufferPointer(rebasing: bytes[done..<(done + count)]))
                done += count
            }
        }
        return try chunk.finish()
    }
}

/// Encodes one stream from one chunk into a file.
@discardableResult
func encode(
    _ config: StreamConfig, _ data: Data, to destination: Destination, format: String? = nil,
    option: [String: String] = [:], piece: Int = .max
) throws -> WriterSummary {
    let writer = try StreamWriter(destination: destination, format: format)
    _ = try writer.addStream(config)
    try writer.open(option: option)
    try writer.send(data, piece: piece)
    return try writer.close()
}

/// Runs what blocks on a thread of its own: the tests' own pool has few.
func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
