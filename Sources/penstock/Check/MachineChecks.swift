import APICore
import Bytewise
import SystemIO
import WriterModel

/// Where outputs and records go.
enum FolderCheck {
    /// With less a server does little more than fail writers.
    private static let leastBytes: UInt64 = 16 << 20
    private static let fewBytes: UInt64 = 1 << 30
    /// What is gone after a restart of the machine.
    private static let passing = ["tmpfs", "ramfs"]

    /// None of a folder that the settings' own check finds wrong.
    static func findings(_ effective: EffectiveSettings) -> [Finding] {
        effective.settings.folders.compactMap { name, path in
            effective.flawsOfFolder(name, path).hasErrors ? nil : finding(name, path)
        }
    }

    /// nil: it is not there yet.
    private static func finding(_ topic: String, _ path: String) -> Finding? {
        guard let system = FileSystem(holding: path) else { return nil }
        let type = system.type ?? "a file system of unknown type"
        let place = "\(path) on \(type), \(ByteCount.text(Int64(clamping: system.freeBytes)))B free"
        if system.freeBytes < leastBytes { return Finding(.error, topic, "\(place): make room, or choose another folder (--\(topic))") }
        if system.freeBytes < fewBytes { return Finding(.warning, topic, "\(place): writers fail when there is none left; make room") }
        if topic.isSame(as: "state-dir"), passing.contains(where: { $0.isSame(as: type) }) {
            return Finding(.warning, topic, "\(place): records and outputs are gone when the machine restarts; choose a folder on a disk (--state-dir)")
        }
        return Finding(.ok, topic, place)
    }
}

/// What the kernel has for the encoders' sandbox.
enum SandboxCheck {
    static func finding(_ settings: Settings) -> Finding {
        let report = SandboxReport.probe()
        if !report.missingEssentials.isEmpty {
            let missing = "this kernel, or this container, lacks \(report.missingEssentials.joined(separator: " and "))"
            return settings.requiresSandbox
                ? Finding(.error, "sandbox", "\(missing), and require-sandbox is set")
                : Finding(.warning, "sandbox", "\(missing): encoders run without it; --require-sandbox refuses that")
        }
        let rest = report.missing.isEmpty ? "" : "; a newer kernel also has \(report.missing.joined(separator: ", "))"
        return Finding(.ok, "sandbox", "Landlock ABI \(report.landlockABI) and seccomp\(rest)")
    }
}

/// Whether the program that encodes starts, and with which libraries.
enum EncoderCheck {
    static func finding() -> Finding {
        let path = Serve.encoderPath
        guard File.isExecutable(path) else { return Finding(.error, "ffmpeg", "\(path) is missing: penstock-encoder must lie beside penstock") }
        do throws(SystemError) {
            let (end, output) = try ChildProcess.run(path, ["--versions"], within: .seconds(20))
            guard end == .exited(code: 0), let versions = (try? JSONParser.parse(output))?.objectValue else {
                let said = String(decoding: output, as: UTF8.self).parts(at: "\n", omittingEmpty: true).last ?? "it said nothing"
                return Finding(.error, "ffmpeg", "\(path) \(end): \(said); install the libraries that 'ldd \(path)' does not find")
            }
            let libraries = versions["libraries"]?.objectValue?.members.map { "\($0.name) \($0.value.stringValue ?? "")" } ?? []
            return Finding(.ok, "ffmpeg", "FFmpeg \(versions["ffmpeg"]?.stringValue ?? "") (\(libraries.joined(separator: ", ")))")
        } catch {
            return Finding(.error, "ffmpeg", "\(error)")
        }
    }
}
