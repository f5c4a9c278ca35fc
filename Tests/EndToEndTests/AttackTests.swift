import Foundation
import Testing

extension EndToEnd {
    /// Clients that reach for what is not theirs. Once as it runs everywhere, and once with the
    /// encoder that judges nothing a client asks for, so that only its sandbox stands in the way.
    @Suite struct AttackTests {
        @Test func hostileRequestsAreRefusedAndReachNothing() async throws {
            let answers = try await run(encoder: nil)
            for (attack, answer) in answers {
                let isRefused = answer.map { attack.answers.contains($0.status) } ?? false
                #expect(isRefused, "\(attack.testDescription): \(answer?.status ?? 0) \(answer?.text ?? "no answer")")
                guard let answer, answer.status != 201 else { continue }
                #expect(answer.problem != nil, "\(attack.testDescription)")
                #expect((answer.json["detail"].string ?? "").count > 20, "\(attack.testDescription)")
            }
        }

        @Test func sandboxAloneHoldsWhatNobodyJudged() async throws {
            let answers = try await run(encoder: Repository.programs + "/unguarded-encoder")
            // Else it were the policy that is tested a second time.
            let unjudged = answers.filter { $0.answer?.status != 403 }
            #expect(unjudged.count > answers.count / 2, "\(unjudged.count) of \(answers.count)")
        }

        private typealias Outcome = (attack: Attack, answer: Response?)

        private func run(encoder: String?) async throws -> [Outcome] {
            #expect(Attack.all.count >= 80)
            let folder = try TemporaryFolder()
            let scene = try AttackScene(in: folder)
            var outcomes: [Outcome] = []
            let server = try await PenstockServer.start(
                ["--allow-output", "tcp://127.0.0.1:\(scene.allowedPort)", "--no-access-log"], in: folder,
                under: ["/bin/sh", "-c", "cd '\(scene.current)'; exec \"$0\" \"$@\""], encoder: encoder)
            do {
                try await scene.begin(on: server)
                for (index, attack) in Attack.all.enumerated() {
                    let (answer, harm) = try await scene.mount(attack, as: "attack\(index)", on: server)
                    #expect(harm == [], "\(attack.testDescription) → \(answer?.text ?? "no answer")")
                    outcomes.append((attack, answer))
                }
                try await expectWell(server)
                try await server.stop()
            } catch {
                try? await server.stop()
                throw error
            }
            return outcomes
        }

        private func expectWell(_ server: PenstockServer) async throws {
            #expect(try await server.curl("GET", "/readyz").status == 200)
            let id = try await server.createWriter(["format": "wav", "streams": [RefusalTests.audio], "open": true])
            try await server.sendChunk(Data(count: 16_000), to: id, stream: 0)
            #expect(try await server.finalize(id)["result"]["duration"] == 1)
        }
    }
}

