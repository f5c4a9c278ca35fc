import Foundation

/// What FFmpeg's command line chooses, as it prints it: the words of an output stream's line by encoder.
func ffmpegChoices(_ input: [String], _ data: Data, _ encoders: [String], _ media: String) throws -> [String: [String]] {
    var choices: [String: [String]] = [:]
    // FFmpeg 7 prints from several threads, sometimes into each other's lines.
    for _ in 0..<5 where choices.count < encoders.count {
        choices.merge(try printedChoices(input, data, encoders, media)) { first, _ in first }
    }
    return choices
}

private func printedChoices(_ input: [String], _ data: Data, _ encoders: [String], _ media: String) throws -> [String: [String]] {
    let folder = TemporaryFolder()
    try data.write(to: folder.url.appendingPathComponent("input"))
    let outputs = encoders.flatMap { ["-frames:v", "1", "-c:\(media)", $0] + (media == "a" ? ["-strict", "-2"] : []) + ["-f", "null", "-"] }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["ffmpeg", "-v", "verbose"] + input + ["-i", folder.path("input")] + outputs
    let log = Pipe()
    process.standardError = log
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var choices: [String: [String]] = [:]
    var isOutput = false
    for line in text.split(separator: "\n") {
        if line.hasPrefix("Output #") { isOutput = true }
        guard isOutput, let stream = line.firstRange(of: "Stream #"), let kind = line.firstRange(of: media == "v" ? "Video: " : "Audio: "),
            let index = Int(line[stream.upperBound...].prefix { $0.isNumber })
        else { continue }
        let words = line[kind.upperBound...].split(separator: ", ").map { String($0.prefix { $0 != "(" && $0 != " " || media == "a" }) }
        if encoders.indices.contains(index), choices[encoders[index]] == nil { choices[encoders[index]] = words }
    }
    return choices
}
