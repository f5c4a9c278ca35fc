import Foundation
import Synchronization
import Testing

/// Everything an attack could harm, and the means to see that it did.
final class AttackScene: Sendable {
    private let folder: TemporaryFolder
    private let tcp, udp, unix: TrapPort
    private let listen: LoopbackPort
    /// The one that destinations may name; nobody is there.
    let allowedPort: Int
    private let watch = Mutex<FolderWatch?>(nil)

    /// Where the server runs: what writes to "its current folder" would write here.
    var current: String { folder / "current" }

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        for name in ["secrets", "outside", "current", "output/other", "output/mine", "state"] {
            try FileManager.default.createDirectory(atPath: folder / name, withIntermediateDirectories: true)
        }
        try Self.fillSecrets(folder / "secrets")
        try Data("kept".utf8).write(to: URL(fileURLWithPath: folder / "output/other/kept.wav"))
        try Self.picture.write(to: URL(fileURLWithPath: folder / "output/other/kept.png"))
        let links = [("link", "outside"), ("last.wav", "secrets/canary.txt")]
        for (name, target) in links {
            try FileManager.default.createSymbolicLink(
                atPath: folder / "output/mine/\(name)", withDestinationPath: folder / target)
        }
        tcp = try TrapPort(.tcp)
        udp = try TrapPort(.udp)
        unix = try TrapPort(.unix(path: folder / "trap"))
        listen = try LoopbackPort.free()
        allowedPort = try LoopbackPort.free().number
    }

    /// Makes a writer of somebody else, and watches from now on.
    func begin(on server: PenstockServer) async throws {
        _ = try await server.curl(
            "PUT", "/v1/writers/victim",
            body: .json(["format": "wav", "streams": [EndToEnd.RefusalTests.audio], "open": true]))
        try await server.sendChunk(Data(count: 16_000), to: "victim", stream: 0)
        try await server.finalize("victim")
        let watched = ["secrets", "outside", "current", "output", "output/other", "state/writers/victim"]
        let watch = try FolderWatch(watched.map { folder / $0 })
        self.watch.withLock { $0 = watch }
    }

    /// Goes through with it as far as the server lets it. The answers to its requests, and what
    /// harm it did.
    func mount(_ attack: Attack, as id: String, on server: PenstockServer) async throws -> ([Response], [String]) {
        let path = "/v1/writers/\(id)"
        let brief = ["--max-time", "6"]
        let names = [
            "secrets": folder / "secrets", "outside": folder / "outside", "other": folder / "output/other",
            "state": folder / "state/writers/victim", "tcp": "\(tcp.port)", "udp": "\(udp.port)",
            "listen": "\(listen.number)", "own": "\(server.port)", "unix": folder / "trap",
        ]
        var answers = [Response]()
        func send(_ method: String, _ path: String, _ body: Curl.Body = .none) async {
            if let answer = try? await server.curl(method, path, body: body, options: brief) { answers.append(answer) }
        }
        await send("PUT", path, .json(attack.body.filled(with: names)))
        let opensPort = listen.hasListener
        if answers.first?.status == 201 {
            let chunk = Data((0..<attack.chunkBytes).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            await send("POST", path + "/streams/0/chunks", .bytes(chunk))
            await send("POST", path + "/finalize")
        }
        _ = try? await server.curl("DELETE", path, options: brief)
        return (answers, harm() + (opensPort ? ["a port was opened"] : []))
    }

    private func harm() -> [String] {
        var harm = (watch.withLock { $0 }?.events() ?? []).sorted()
        if tcp.visits() > 0 { harm.append("a foreign TCP port was connected to") }
        if udp.visits() > 0 { harm.append("a foreign UDP port was sent to") }
        if unix.visits() > 0 { harm.append("a foreign socket was connected to") }
        return harm
    }

    /// Valid files of the kinds that filters read, so that a reader would get something.
    private static func fillSecrets(_ path: String) throws {
        let subtitle = "1\n00:00:00,000 --> 00:00:09,000\nCANARY\n"
        let script = """
            [Script Info]
            ScriptType: v4.00+
            [Events]
            Format: Layer, Start, End, Text
            Dialogue: 0,0:00:00.00,0:00:09.00,CANARY

            """
        let cube = "LUT_3D_SIZE 2\n" + String(repeating: "0 0 0\n", count: 8)
        let files: [(String, Data)] = [
            ("txt", Data("CANARY\n".utf8)), ("srt", Data(subtitle.utf8)), ("ass", Data(script.utf8)),
            ("cube", Data(cube.utf8)), ("png", picture), ("pgm", Data("P5 2 2 255\n".utf8) + Data([0, 255, 0, 255])),
            ("wav", sound), ("ttf", Data(count: 64)), ("acv", Data(count: 64)), ("bin", Data(count: 64)),
            ("trf", Data("VID.STAB 1\n".utf8)), ("so", Data("\u{7f}ELF".utf8)),
        ]
        for (kind, data) in files { try data.write(to: URL(fileURLWithPath: path + "/canary." + kind)) }
    }

    /// A PNG of one pixel.
    private static let picture = Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")!

    /// A second of silence in a WAV file: 8 kHz, mono, 16 bits.
    private static let sound =
        Data("RIFF".utf8) + Data([0xa4, 0x3e, 0, 0]) + Data("WAVEfmt ".utf8)
        + Data([16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0])
        + Data("data".utf8) + Data([0x80, 0x3e, 0, 0]) + Data(count: 16_000)
}

extension JSON {
    /// With `{name}` in every string replaced.
    func filled(with names: [String: String]) -> JSON {
        switch self {
        case .string(let text):
            .string(names.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) })
        case .array(let items): .array(items.map { $0.filled(with: names) })
        case .object(let members): .object(members.mapValues { $0.filled(with: names) })
        default: self
        }
    }
}
