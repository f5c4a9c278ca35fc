import SystemIO
import Testing
import WriterAPI
import WriterModel

/// What the processes of a writer are left with.
@Suite struct ConfinementTests {
    private let folder = TemporaryFolder()

    private func confinement(_ role: EncoderStart.Role, _ policy: OutputPolicy) throws -> Confinement {
        for name in ["state", "out"] { _ = try Directory(path: "\(folder.path)/\(name)") }
        return try Confinement(
            EncoderStart(
                role: role, writer: WriterID("w")!, createdAt: Timestamp(secondsSinceEpoch: 0, nanoseconds: 0), folder: folder.path + "/state",
                outputDirectory: folder.path + "/out", limits: ServiceLimits(), policy: policy, serverPorts: [], version: "0",
                logsRequests: false, asksForTokens: false))
    }

    private func own(_ rules: SandboxRules) -> [String] { rules.places.map(\.description).filter { $0.hasPrefix(folder.path) }.sorted() }

    @Test func aCarrierReachesNoFileOfTheWritersOnceItKnowsItsDestination() throws {
        let policy = OutputPolicy(patterns: ["rtmp://192.0.2.1:1936/*"], allowsDevices: true)
        let (encoder, carrier) = (try confinement(.writer, policy), try confinement(.carrier, policy))
        #expect(own(encoder.firstRules) == ["\(folder.path)/out", "\(folder.path)/state/."])
        #expect(own(carrier.firstRules) == ["\(folder.path)/out", "\(folder.path)/state"])
        for reach in [Confinement.Reach.url, .device] { #expect(own(carrier.rules(for: [reach])) == []) }
    }

    @Test func aFolderIsItsCarriersToWriteAndItsEncodersToRemove() throws {
        let (encoder, carrier) = (try confinement(.writer, OutputPolicy()), try confinement(.carrier, OutputPolicy()))
        let show = try Directory(path: folder.path + "/out/show")
        let ledger = try Directory(path: folder.path + "/state/ledger.0")
        #expect(own(carrier.rules(for: [.folder(show, ledger: ledger)])) == ["\(folder.path)/out/show/.", "\(folder.path)/state/ledger.0/."])
        let rules = encoder.rules(for: [.carriedFolder(show), .ownFolder])
        #expect(own(rules) == ["\(folder.path)/out/show/.", "\(folder.path)/state/."])
        #expect(rules.places.first { $0.description.hasSuffix("/out/show/.") }?.access == .removeFiles)
    }

    @Test func aWriterReachesTheFilesOfAllItsOutputs() throws {
        let encoder = try confinement(.writer, OutputPolicy())
        let out = try Directory(path: folder.path + "/out")
        let rules = encoder.rules(for: [.file(out, "a.mp4", isRenamed: false), .file(out, "b/b.mkv", isRenamed: true)])
        #expect(own(rules) == ["a.mp4", "b/b.mkv", ".", "b"].map { "\(folder.path)/out/\($0)" }.sorted() + ["\(folder.path)/state/."])
    }

    @Test func aCarrierReachesWhatItsPolicyAllowsAndThenItsDestination() throws {
        let policy = OutputPolicy(patterns: ["rtmp://192.0.2.1:1936/*"], allowsDevices: true)
        let carrier = try confinement(.carrier, policy)
        let port = SandboxRules.TCPPorts.these(connecting: [1_936], listening: [1_936])
        #expect(carrier.firstRules.tcpPorts == port && carrier.firstRules.sockets == [.tcp, .local])
        #expect(carrier.rules(for: [.url]).tcpPorts == port && carrier.rules(for: [.url]).sockets == [.tcp])
        #expect(carrier.rules(for: [.device]).tcpPorts == .none && carrier.rules(for: [.device]).sockets == [.local])
        // Without a pattern, and without devices.
        let bare = try confinement(.carrier, OutputPolicy()).firstRules
        #expect(bare.tcpPorts == .none && bare.sockets == [])
    }

    @Test func onlyWhatConnectsReadsHowHostsAreFoundAndTrusted() throws {
        func reads(_ rules: SandboxRules) -> Bool { rules.places.contains { ["/etc/resolv.conf", "/etc/ssl/certs"].contains($0.description) } }
        let policy = OutputPolicy(patterns: ["rtmp://192.0.2.1:1936/*"])
        let (encoder, carrier, out) = (try confinement(.writer, policy), try confinement(.carrier, policy), try Directory(path: folder.path + "/out"))
        #expect(!reads(encoder.firstRules) && !reads(encoder.rules(for: [.ownFolder, .file(out, "a.mp4", isRenamed: false)])))
        let (encoding, offline) = (try confinement(.encode, policy), try confinement(.carrier, OutputPolicy()))
        #expect(!reads(encoding.firstRules) && !reads(offline.firstRules))
        #expect(reads(carrier.firstRules) && reads(carrier.rules(for: [.url])) && reads(WebhookProcess.rules))
        #expect(!reads(carrier.rules(for: [.folder(out, ledger: out)])))
    }

    @Test func whatSendsWebhooksChangesNoFileAndListensNowhere() {
        let rules = WebhookProcess.rules
        let changing = rules.places.filter { !$0.access.isDisjoint(with: [.writeFiles, .makeFiles, .removeFiles, .makeFolders, .removeFolders]) }
        #expect(changing.map(\.description) == ["/dev/null"])
        #expect(own(rules) == [] && rules.sockets == [.tcp, .datagrams])
    }
}
