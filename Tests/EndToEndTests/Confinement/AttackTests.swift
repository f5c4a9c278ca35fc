import Foundation
import Testing

extension EndToEnd {
    /// Clients that reach for what is not theirs. Once as it runs everywhere, and once with the
    /// encoder that judges nothing a client asks for, so that only its sandbox stands in the way.
    @Suite struct AttackTests {
        @Test func hostileRequestsAreRefusedAndReachNothing() async throws {
            let outcomes = try await run(encoder: nil)
            for (attack, answers) in outcomes {
                let context = Comment(rawValue: "\(attack.testDescription): \(answers.map(\.text))")
                let refusal = answers.first { $0.status >= 400 } ?? answers.last
                #expect(refusal.map { attack.answers.contains($0.status) } == true, context)
                guard let refusal, refusal.status >= 400 else { continue }
                #expect(refusal.problem != nil, context)
                #expect((refusal.json["detail"].string ?? "").count > 20, context)
            }
        }

        @Test func sandboxAloneHoldsWhatNobodyJudged() async throws {
            let outcomes = try await run(encoder: Repository.programs + "/unguarded-encoder")
            // Else it were the policy that is tested a second time. Links are the kernel's to refuse.
            let byTheKernel: [JSON] = [
                "dst leads out of the output directory.",
                "dst leads through a symbolic link. Give a path of folders and files only.",
            ]
            let judged = outcomes.flatMap(\.answers).filter { answer in
                ["forbidden-option", "forbidden-destination"].contains(answer.problem)
                    && !byTheKernel.contains(answer.json["detail"])
            }
            #expect(judged.count == 0, "\(judged.map(\.text))")
        }

        private typealias Outcome = (attack: Attack, answers: [Response])

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
                    let (answers, harm) = try await scene.mount(attack, as: "attack\(index)", on: server)
                    #expect(harm == [], "\(attack.testDescription) → \(answers.map(\.text))")
                    outcomes.append((attack, answers))
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

