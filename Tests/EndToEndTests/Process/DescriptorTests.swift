import Foundation
import Testing

extension EndToEnd {
    /// The gateway may open few files.
    @Suite struct DescriptorTests {
        @Test func serverOutOfDescriptorsRefusesAndRecovers() async throws {
            let server = try await PenstockServer.start(descriptors: 100)
            let clip = try await Clip.small()
            let ended = try await server.createWriter(["format": "null", "streams": [clip.streams()[1]], "open": true])
            try await server.finalize(ended)
            let uploader = try await Uploader("steady", on: server, clip)
            await uploader.run(to: 4)

            var connections: [RawConnection] = []
            for _ in 0..<200 { connections.append(try RawConnection(port: server.port, deadlineInSeconds: 20)) }
            // 62 places, of which the writer's first connection may hold one; a few more are told that there
            // are none, and the others are closed or wait to be accepted.
            let answers = Answers()
            try await inParallel(connections.count, width: 200) { [connections] index in
                let answer = try? await connections[index].request("GET", "/v1/writers/\(ended)")
                await answers.add(answer)
            }
            let statuses = await answers.statuses
            print("200 connections at 100 descriptors: \(statuses)")
            #expect(Set(statuses.keys).isSubset(of: [200, 503, 0]), "\(statuses)")
            // Whoever has a place is served: no thread finds all descriptors taken by others.
            #expect((statuses[200] ?? 0) >= 61)
            let refusals = await answers.refusals
            #expect(refusals.allSatisfy { $0.contains("limit of connections") }, "\(refusals)")
            // A writer goes on meanwhile.
            await uploader.run(to: 40)
            #expect(await uploader.cut == nil)
            #expect(!PenstockServer.isGone(server.pid))

            connections = []
            let isWell = try await eventually {
                (try? await server.curl("GET", "/v1/writers/\(ended)", options: ["--max-time", "2"]))?.status == 200
            }
            #expect(isWell, "\(server.log.text)")
            try await server.expectWell("with descriptors again")
            _ = try await uploader.finalize()
            try await server.stop()
        }

        @Test func writersBeyondTheDescriptorsAreRefusedAndAllOthersServed() async throws {
            let server = try await PenstockServer.start(descriptors: 64)
            var made: [String] = []
            var refusal: Response?
            for index in 0..<100 where refusal == nil {
                let created = try await server.curl("PUT", "/v1/writers/w\(index)", body: .json(["format": "wav"]))
                if created.status == 201 { made.append("w\(index)") } else { refusal = created }
            }
            #expect(refusal?.status == 503, "\(refusal?.text ?? "all were made")")
            #expect(refusal?["Retry-After"] != nil)
            #expect(made.count >= 8)
            // Its own records are still within reach.
            #expect(try await server.curl("DELETE", "/v1/writers/\(made[0])").isDeleted)
            #expect(try await server.curl("GET", "/v1/writers").json["writers"].array.count == made.count - 1)
            for id in made.dropFirst() {
                let answer = try await server.curl("DELETE", "/v1/writers/\(id)")
                #expect(answer.isDeleted, "\(answer.text)")
            }
            let isWell = try await eventually {
                try await server.curl("PUT", "/v1/writers/again", body: .json(["format": "wav"])).status == 201
            }
            #expect(isWell)
            try await server.stop()
        }
    }
}

private actor Answers {
    /// How many of each status; 0 for those without an answer.
    private(set) var statuses: [Int: Int] = [:]
    /// What those with 503 were told.
    private(set) var refusals: Set<String> = []

    func add(_ answer: Response?) {
        statuses[answer?.status ?? 0, default: 0] += 1
        if let answer, answer.status == 503 { refusals.insert(answer.text) }
    }
}
