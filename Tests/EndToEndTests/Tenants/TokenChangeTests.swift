import Foundation
import Testing

extension EndToEnd {
    /// A token file that changes is heard of by every process within two seconds or so.
    @Suite struct TokenChangeTests {
        /// What "within a second or two" is where other tests want the processors too.
        private static let soon = 20.0

        private func status(_ connection: RawConnection, _ token: String, _ method: String, _ path: String) async throws -> Int {
            try await connection.request(method, path, headers: Tenants.field(token)).status
        }

        @Test func catalogProcessHearsOfEveryChange() async throws {
            try await Tenants.run(["one", "two name=acme"]) { tenants in
                let kept = try RawConnection(port: tenants.server.port)
                for path in ["/v1/version", "/v1/muxers/wav", "/v1/version"] {
                    for token in ["one", "two"] { #expect(try await status(kept, token, "GET", path) == 200) }
                    #expect(try await status(kept, "three", "GET", path) == 401)
                    #expect(try await status(kept, "one", "GET", path) == 200)
                }
                try tenants.change(to: ["one", "three name=beta scope=read"])
                try await eventually("the new token at /v1/version", within: Self.soon) {
                    try await status(kept, "three", "GET", "/v1/version") == 200
                }
                #expect(try await status(kept, "two", "GET", "/v1/version") == 401)
                #expect(try await tenants.call("two", "GET", "/v1/encoders/flac").status == 401)
                #expect(try await tenants.call("three", "GET", "/v1/encoders/flac").status == 200)
            }
        }

        @Test func revokedTokenIsRefusedOnAConnectionThatAnEncoderKeeps() async throws {
            try await Tenants.run(["one name=acme", "two name=acme", "old", "b name=beta"]) { tenants in
                try await tenants.make("one", "x")
                var kept: [(token: String, connection: RawConnection)] = []
                for token in ["one", "two", "old"] {
                    let connection = try RawConnection(port: tenants.server.port)
                    for _ in 0..<2 { #expect(try await status(connection, token, "GET", "/v1/writers/x") == 200) }
                    kept.append((token, connection))
                }
                try tenants.change(to: ["one name=acme scope=read", "new name=acme", "two name=beta", "b name=beta"])
                try await eventually("the new token", within: Self.soon) {
                    try await status(kept[0].connection, "new", "GET", "/v1/writers/x") == 200
                }
                // Narrowed, another's, gone.
                #expect(try await status(kept[0].connection, "one", "GET", "/v1/writers/x") == 200)
                #expect(try await status(kept[0].connection, "one", "POST", "/v1/writers/x/flush") == 403)
                #expect(try await status(kept[1].connection, "two", "GET", "/v1/writers/x") == 404)
                #expect(try await status(kept[2].connection, "old", "GET", "/v1/writers/x") == 401)
                #expect(try await status(kept[2].connection, "new", "POST", "/v1/writers/x/finalize") == 200)
            }
        }

        @Test func changedLimitsHoldForWritersThatAreMadeFromThenOn() async throws {
            try await Tenants.run(["a name=acme folder=first max-writers=1"]) { tenants in
                let body: JSON = ["dst": "x.wav", "streams": [Tenants.audio], "open": true]
                try await tenants.make("a", "x", body)
                #expect(try await tenants.call("a", "PUT", "/v1/writers/y", body).status == 429)
                try tenants.change(to: ["a name=acme folder=second max-writers=2"])
                try await eventually("room for another writer", within: Self.soon) {
                    try await tenants.call("a", "PUT", "/v1/writers/y", body).status == 201
                }
                for id in ["x", "y"] { #expect(try await tenants.call("a", "POST", "/v1/writers/\(id)/finalize").status == 200) }
                for folder in ["first", "second"] { #expect(try tenants.server.output("\(folder)/x.wav").count == 114) }
            }
        }

        @Test func aWrongLineKeepsTheOldTokensAndIsNamedByItsNumber() async throws {
            try await Tenants.run(["s3cret-one", "s3cret-two name=acme"]) { tenants in
                try tenants.change(to: ["s3cret-one", "# x", "s3cret-three nmae=acme"])
                let line = try #require(await tenants.server.log.line(containing: "the old tokens stay in force", within: Self.soon))
                #expect(line.contains("line 3") && line.contains("unknown key"), "\(line)")
                #expect(try await tenants.call("s3cret-two", "GET", "/v1/writers").status == 200)
                #expect(try await tenants.call("s3cret-three", "GET", "/v1/writers").status == 401)
                try tenants.change(to: ["s3cret-three name=acme"])
                try await eventually("the mended file", within: Self.soon) {
                    try await tenants.call("s3cret-three", "GET", "/v1/writers").status == 200
                }
                #expect(try await tenants.call("s3cret-two", "GET", "/v1/writers").status == 401)
                #expect(!tenants.server.log.text.contains("s3cret"))
            }
        }

        @Test func aServerWithAWrongLineDoesNotStart() async throws {
            for text in ["one\ns3cret scope=root\n", "s3cret", "", "one\ns3cret name=a folder=../x\n"] {
                let folder = try TemporaryFolder()
                try text.write(toFile: folder / "tokens", atomically: true, encoding: .utf8)
                let (process, log) = try PenstockServer.launch([
                    "serve", "--port", "0", "--token-file", folder / "tokens", "--output-dir", folder / "output", "--state-dir", folder / "state",
                ])
                #expect(try await process.ended(within: 20) == .exited(1))
                #expect(await log.ended(within: 20))
                #expect(!log.text.contains("s3cret") && (!text.contains("one") || log.text.contains("line 2")), "\(log.text)")
            }
        }

        /// By the second a file is read once it has stayed as it is for one: this one never does.
        @Test func hangUpReadsTheFileAtOnce() async throws {
            try await Tenants.run(["one"]) { tenants in
                try await tenants.make("one", "x")
                try tenants.change(to: ["two"])
                let changing = Task {
                    while !Task.isCancelled {
                        try tenants.change(to: ["two"])
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
                defer { changing.cancel() }
                tenants.server.process.signal(SIGHUP)
                try await eventually("the new token", within: Self.soon) {
                    try await tenants.call("two", "GET", "/v1/writers/x").status == 200
                }
                #expect(try await tenants.call("one", "GET", "/v1/writers/x").status == 401)
                changing.cancel()
                _ = await changing.result
            }
        }

        @Test func tenThousandTokensReachEveryProcess() async throws {
            let names = (0..<5_000).map { "token-\($0) name=n\($0 % 100)" }
            let unnamed = (5_000..<10_000).map { "token-\($0)" }
            try await Tenants.run(names + unnamed) { tenants in
                try await tenants.make("token-17", "x")
                let kept = try RawConnection(port: tenants.server.port)
                for _ in 0..<2 {
                    for token in ["token-17", "token-117", "token-4917", "token-5000", "token-9999"] {
                        #expect(try await status(kept, token, "GET", "/v1/writers/x") == 200)
                        #expect(try await status(kept, token, "GET", "/v1/version") == 200)
                    }
                    for token in ["token-18", "token-0"] { #expect(try await status(kept, token, "GET", "/v1/writers/x") == 404) }
                    for token in ["token-10000", "token-", "token-1 7"] { #expect(try await status(kept, token, "GET", "/v1/writers/x") == 401) }
                }
                try tenants.change(to: Array(unnamed.dropLast()) + names.map { $0.replacingOccurrences(of: "token", with: "next") })
                try await eventually("the next tokens", within: Self.soon) {
                    try await status(kept, "next-17", "GET", "/v1/writers/x") == 200
                }
                for token in ["token-17", "token-9999"] { #expect(try await status(kept, token, "GET", "/v1/writers/x") == 401) }
                #expect(try await status(kept, "token-9998", "GET", "/v1/writers/x") == 200)
            }
        }

        /// Memory of the gateway, the fork server and encoders, read as a debugger does.
        @Test(.enabled(if: getuid() == 0, "reading other processes' memory takes root"))
        func noProcessHoldsATokenThatNobodyPresented() async throws {
            let unseen = ["4f1c-unseen-full-token-7b", "93aa-unseen-acme-token-5e", "c0de-unseen-reader-token-1d"]
            try await Tenants.run(["shown name=acme", unseen[0], "\(unseen[1]) name=acme", "\(unseen[2]) read"]) { tenants in
                try await tenants.make("shown", "x")
                #expect(try await tenants.call("shown", "GET", "/v1/version").status == 200)
                try tenants.change(to: ["shown name=acme", "# changed", unseen[0], "\(unseen[1]) name=acme", "\(unseen[2]) read", "more name=acme"])
                try await eventually("the changed file", within: Self.soon) { try await tenants.call("more", "GET", "/v1/writers/x").status == 200 }
                let processes = PenstockServer.processes(marked: tenants.server.marker)
                #expect(processes.count >= 4)
                for pid in processes {
                    let memory = try ProcessMemory(of: pid)
                    // What every process of the server has in its environment is found.
                    let marker = memory.occurrences(of: tenants.server.marker)
                    #expect(marker.inProgramHeap + marker.elsewhere.count > 0)
                    for token in unseen {
                        let found = memory.occurrences(of: token)
                        #expect(found.inProgramHeap + found.elsewhere.count == 0, "\(PenstockServer.name(of: pid) ?? "") holds \(token)")
                    }
                }
            }
        }
    }
}
