import APICore
import HTTP1
import Testing
import WriterModel

@Suite struct NearPathTests {
    private func paths(_ target: String, _ method: String = "GET") throws -> (problem: Problem, paths: [String]) {
        let request = try head(method, target)
        let found = try #require(problem { _ = try Route.match(request) })
        return (found, found.extras.first { $0.name == "paths" }?.value.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    @Test(arguments: [
        ("/v1/writer", "/v1/writers"), ("/v1/Writers", "/v1/writers"), ("/writers", "/v1/writers"), ("/V1/writers", "/v1/writers"),
        ("/v1/writers/a/finalise", "/v1/writers/{id}/finalize"), ("/v1/writers/a/close", "/v1/writers/{id}/finalize"),
        ("/v1/filter/scale", "/v1/filters/{name}"), ("/v1/encoder/libx264", "/v1/encoders/{name}"), ("/v1/encode/", "/v1/encode"),
        ("/encode", "/v1/encode"), ("/v1/devices", "/v1/output-devices"), ("/metric", "/metrics"), ("/openapi.json", "/openapi.yaml"), ("/health", "/livez"),
        ("/v1/encoders", "/v1/video-encoders"), ("/v1/writers/a/chunks", "/v1/writers/{id}"),
    ])
    func aPathWrittenAlmostLikeOneIsToldThatOne(target: String, meant: String) throws {
        let found = try paths(target)
        #expect(found.problem.code == .notFound)
        #expect(found.paths.contains(meant), "\(found.paths)")
        #expect(found.problem.detail.contains("Did you mean") && found.problem.detail.contains("/openapi.yaml"))
    }

    @Test(arguments: ["/", "/v1", "/v1/", "/favicon.ico", "/v2/zzz/yyy", "/" + String(repeating: "a/", count: 3_000)])
    func aPathLikeNoneIsToldAll(target: String) throws {
        let found = try paths(target)
        #expect(found.problem.code == .notFound && found.problem.detail.contains("/openapi.yaml"))
        #expect(Set(found.paths) == Set(Route.all.map(\.template)))
        #expect(found.paths.count == Set(found.paths).count)
    }

    @Test func anUploadIntoAFolderOfEncodeIsToldOfTheSlash() throws {
        let found = try paths("/v1/encode/take.wav", "PUT")
        #expect(found.paths == ["/v1/encode"] && found.problem.detail.contains("slash"), "\(found)")
    }
}
