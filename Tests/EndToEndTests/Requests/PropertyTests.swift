import Foundation
import Testing

extension EndToEnd {
    /// Whatever a client asks for, the server answers and no encoder dies.
    @Suite struct PropertyTests {
        private static let environment = ProcessInfo.processInfo.environment
        /// The same bodies every time, so that a failure is of what was changed. Another seed and a larger
        /// count look for what nobody has seen yet.
        private static let seed = environment["PENSTOCK_PROPERTY_SEED"].flatMap { UInt64($0) } ?? 2_026
        private static let count = environment["PENSTOCK_PROPERTY_BODIES"].flatMap { Int($0) } ?? 1_500
        /// The first of them, to look at one again.
        private static let first = environment["PENSTOCK_PROPERTY_FIRST"].flatMap { Int($0) } ?? 0
        private static let width = 4

        @Test(.timeLimit(.minutes(90)))
        func noCreationEndsInAServerErrorOrADeadEncoder() async throws {
            let before = try Self.files(FileManager.default.currentDirectoryPath)
            try await withServer(["--call-timeout", "60", "--no-access-log"]) { server in
                let creations = try await Creations(seed: Self.seed, server: server)
                let findings = Findings()
                let numbers = Numbers(Self.first..<Self.first + Self.count)
                try await inParallel(Self.width, width: Self.width) { _ in
                    var client = Client(server: server)
                    while let number = await numbers.next() {
                        await findings.add(number, await client.run(creations.creation(number)))
                    }
                }
                print("seed \(Self.seed): \(await findings.summary)")
                let bad = await findings.bad
                #expect(bad == [], "PENSTOCK_PROPERTY_SEED=\(Self.seed): \(bad)")
                // A share that means something got as far as a chunk.
                #expect(await findings.share(of: "chunk 200") > 0.1)
                try await expectNothingLeft(on: server)
            }
            #expect(try Self.files(FileManager.default.currentDirectoryPath) == before)
        }

        private func expectNothingLeft(on server: PenstockServer) async throws {
            #expect(try await server.curl("GET", "/v1/writers").json["writers"].array == [])
            let areGone = try await eventually {
                server.processesAtWork.count <= 3
            }
            #expect(areGone, "processes beside gateway, fork server and catalog")
            let metrics = try Exposition(try await server.curl("GET", "/metrics").text)
            let exits = metrics.values.filter { $0.key.hasPrefix("penstock_encoder_exits_total") }
            #expect(Set(exits.keys) == ["penstock_encoder_exits_total reason=exit_0"], "\(exits)")
            #expect(try Self.files(server.outputFolder) == [])
            #expect(try Self.files(server.folder / "state/writers") == [])
        }

        /// Files, not folders, which DELETE leaves.
        private static func files(_ folder: String) throws -> Set<String> {
            let manager = FileManager.default
            return Set(
                (manager.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter { path in
                    if path.hasPrefix(".build") || path.hasPrefix(".git") { return false }
                    var isFolder: ObjCBool = false
                    return manager.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder) && !isFolder.boolValue
                })
        }
    }
}

/// One client after another's creations, on a connection that is opened again when it was closed.
private struct Client {
    let server: PenstockServer
    private var connection: RawConnection?

    init(server: PenstockServer) { self.server = server }

    /// What each request came to: "create 201", "chunk 422", …; with a body where it is bad.
    mutating func run(_ creation: Creations.Creation) async -> [Findings.Step] {
        var steps: [Findings.Step] = []
        let path = creation.isDryRun ? "/v1/writers?dry_run=true" : "/v1/writers"
        guard let body = try? creation.body.data else { return [] }
        let created = await request("POST", path, body, json: true)
        steps.append(.init(creation.isDryRun ? "dry run" : "create", created, creation))
        guard created?.status == 201, let id = created?.json["id"].string else { return steps }
        if created?.json["state"] == "open" {
            if let bytes = chunk(of: created!.json, creation.frames) {
                let query = creation.pts.map { "?pts=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") } ?? ""
                let chunk = await request("POST", "/v1/writers/\(id)/streams/0/chunks\(query)", bytes)
                steps.append(.init("chunk", chunk, creation))
            }
            if creation.finalizes {
                steps.append(.init("finalize", await request("POST", "/v1/writers/\(id)/finalize", nil), creation))
            }
        }
        let deleted = await request("DELETE", "/v1/writers/\(id)", nil)
        steps.append(.init("delete", deleted, creation))
        return steps
    }

    /// A few frames of the first stream, of noise that is the same each time; nil when that is much.
    private func chunk(of writer: JSON, _ frames: Int) -> Data? {
        let stream = writer["streams"][0]
        guard let bytesPerFrame = stream["bytes_per_frame"].int else { return nil }
        let count = bytesPerFrame * (stream["type"] == "audio" ? frames * 700 : frames)
        guard count <= 4 << 20 else { return nil }
        var noise = SeededRandom(count)
        // Floats below 2, as most encoders take no NaN.
        let mask: UInt64 = stream["format"] == "flt" ? 0xBFFF_FFFF_BFFF_FFFF : stream["format"] == "dbl" ? 0xBFFF_FFFF_FFFF_FFFF : .max
        return Data((0..<count / 8 + 1).flatMap { _ in withUnsafeBytes(of: noise.next() & mask, Array.init) }.prefix(count))
    }

    /// nil: there was no answer.
    private mutating func request(_ method: String, _ path: String, _ body: Data?, json: Bool = false) async -> Response? {
        for isSecond in [false, true] {
            do {
                let isKept = connection != nil
                let connection = try self.connection ?? RawConnection(port: server.port, deadlineInSeconds: 180)
                self.connection = connection
                do {
                    let headers = ["Content-Type: " + (json ? "application/json" : "application/octet-stream")]
                    let answer = try await connection.request(method, path, headers: headers, body: body ?? Data())
                    if answer["Connection"] == "close" { self.connection = nil }
                    return answer
                } catch {
                    self.connection = nil
                    // A kept connection may have ended in between; a fresh one has an answer.
                    if !isKept || isSecond || method == "POST" { return nil }
                }
            } catch { return nil }
        }
        return nil
    }
}

/// The numbers of the creations to come.
private actor Numbers {
    private var left: Range<Int>

    init(_ range: Range<Int>) { left = range }

    func next() -> Int? { left.popFirst() }
}

private actor Findings {
    struct Step: Sendable {
        let name: String
        let isBad: Bool
        let text: String

        init(_ request: String, _ answer: Response?, _ creation: Creations.Creation) {
            name = "\(request) \(answer.map { "\($0.status)" } ?? "without answer")"
            isBad = answer.map { $0.status >= 500 } ?? true || (request == "delete" && ![200, 204].contains(answer?.status))
            let body = (try? creation.body.data).map { String(decoding: $0, as: UTF8.self) } ?? ""
            text = "\(name): \(body) pts=\(creation.pts ?? "-") frames=\(creation.frames) -> \(answer?.text ?? "")"
        }
    }

    private(set) var bad: [String] = []
    private var counts: [String: Int] = [:]
    private var bodies = 0

    func add(_ number: Int, _ steps: [Step]) {
        bodies += 1
        for step in steps {
            counts[step.name, default: 0] += 1
            if step.isBad {
                bad.append("\(number): \(step.text)")
                print("finding \(number): \(step.text)")
            }
        }
    }

    func share(of name: String) -> Double { Double(counts[name] ?? 0) / Double(max(1, bodies)) }

    var summary: String {
        "\(bodies) bodies, " + counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }
}
