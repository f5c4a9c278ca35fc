import APICore
import HTTP1
import HTTPServer
import Testing
import WriterModel

@Suite struct RouteTests {
    @Test(arguments: [
        ("POST", "/v1/writers", Operation.creation(.createWriter)), ("GET", "/v1/writers", .listWriters),
        ("HEAD", "/v1/writers", .listWriters), ("PUT", "/v1/writers/a", .creation(.putWriter)), ("GET", "/v1/writers/a", .writer(.getWriter)),
        ("HEAD", "/v1/writers/a", .writer(.getWriter)), ("DELETE", "/v1/writers/a", .writer(.deleteWriter)),
        ("POST", "/v1/writers/a/streams", .writer(.addStream)), ("PUT", "/v1/writers/a/metadata", .writer(.setMetadata)),
        ("POST", "/v1/writers/a/open", .writer(.openWriter)), ("POST", "/v1/writers/a/streams/0/chunks?pts=1", .writer(.writeChunk)),
        ("HEAD", "/v1/writers/a/streams/0/chunks", .writer(.getUploadOffset)), ("POST", "/v1/writers/a/flush", .writer(.flushWriter)),
        ("POST", "/v1/writers/a/keyframe?stream=1", .writer(.requestKeyFrame)), ("PATCH", "/v1/writers/a/streams/0", .writer(.changeStream)),
        ("POST", "/v1/writers/a/finalize", .writer(.finalizeWriter)), ("GET", "/v1/writers/a/output", .writer(.getOutput)),
        ("POST", "/v1/writers/a/outputs", .writer(.addOutput)), ("DELETE", "/v1/writers/a/outputs/live?name=b", .writer(.removeOutput)),
        ("POST", "/v1/writers/a/outputs/live/retry", .writer(.retryOutput)),
        ("GET", "/v1/writers/a/outputs/live", .writer(.getNamedOutput)), ("HEAD", "/v1/writers/a/outputs/live", .writer(.getNamedOutput)),
        ("GET", "/v1/version", .catalog(.getVersion)), ("GET", "/livez", .server(.livez)), ("GET", "/readyz", .server(.readyz)),
        ("GET", "/openapi.yaml", .server(.getContract)), ("GET", "http://a/v1/writers", .listWriters),
        ("GET", "/v1/%77riters", .listWriters), ("POST", "/v1/encode?format=mp3", .encode), ("PUT", "/v1/encode?format=mp3", .encode),
        ("GET", "/v1/filters/scale", .catalog(.getFilter)), ("HEAD", "/v1/encoders/aac?format=table", .catalog(.getEncoder)),
    ])
    func aRouteIsFound(method: String, target: String, operation: Operation) throws {
        #expect(try Route.match(try head(method, target)).operation == operation)
    }

    @Test func everyOperationHasOneRoute() {
        let ids = ServerOperation.allCases.map(\.rawValue) + CreationOperation.allCases.map(\.rawValue)
            + WriterOperation.allCases.map(\.rawValue) + CatalogOperation.allCases.map(\.rawValue) + ["listWriters", "encode", "encodeByPut"]
        #expect(Route.all.map(\.id).sorted() == ids.sorted())
    }

    /// Nothing that creates, changes or encodes is let pass with a token that may read, whatever its method.
    @Test func whatOnlyReadsIsAskedForWithGetOrHead() {
        for route in Route.all {
            #expect((route.scope == .read) == [.get, .head].contains(route.method), "\(route.template)")
        }
    }

    @Test func everyRouteOfAWriterTakesItsOwnersName() throws {
        for route in Route.all {
            guard case .writer = route.operation else { continue }
            let path = route.template.replacing("{id}", with: "a").replacing("{index}", with: "0").replacing("{output}", with: "live")
            #expect(try Route.match(try head(route.method.rawValue, path + "?name=n")).writer == WriterID("a"))
            let odd = try head(route.method.rawValue, path + "?nam=n")
            let twice = try head(route.method.rawValue, path + "?name=n&name=n")
            #expect(problem { _ = try Route.match(odd) }?.code == .unknownParameter)
            #expect(problem { _ = try Route.match(twice) }?.code == .invalidParameter)
        }
    }

    @Test func aWriterAndItsStreamAreRead() throws {
        let request = try Route.match(try head("POST", "/v1/writers/my-id_9/streams/12/chunks"))
        #expect(request.writer == WriterID("my-id_9"))
        #expect(request.stream == 12)
    }

    @Test(arguments: [
        ("DELETE", "/v1/writers", "POST, GET, HEAD"), ("POST", "/v1/writers/a", "PUT, GET, HEAD, DELETE"),
        ("GET", "/v1/writers/a/streams", "POST"), ("GET", "/v1/writers/a/streams/0/chunks", "POST, HEAD"),
        ("POST", "/livez", "GET, HEAD"), ("GET", "/v1/encode", "POST, PUT"), ("OPTIONS", "/v1/writers/a/open", "POST"), ("HEAD", "/v1/writers/a/open", "POST"),
    ])
    func anotherMethodIsToldWhichAreAllowed(method: String, target: String, allowed: String) throws {
        let request = try head(method, target)
        let found = try #require(problem { _ = try Route.match(request) })
        #expect(found.code == .methodNotAllowed)
        #expect(Response.problem(found).field("Allow") == allowed)
        #expect(Response.problem(found).status == .methodNotAllowed)
    }

    @Test(arguments: [
        ("/", ProblemCode.notFound), ("/v1", .notFound), ("/v2/writers", .notFound), ("/v1/writers/a/b", .notFound),
        ("/V1/writers", .notFound), ("/v1//writers", .notFound), ("/livez/", .notFound), ("/v1/writers/", .writerNotFound),
        // An escaped slash is part of a name, never a way to another route.
        ("/v1%2Fwriters", .notFound), ("/v1/writers/a%2Foutput", .writerNotFound), ("/v1/writers/a%20b", .writerNotFound),
    ])
    func nothingIsThere(target: String, code: ProblemCode) throws {
        let request = try head("GET", target)
        #expect(problem { _ = try Route.match(request) }?.code == code)
    }

    @Test(arguments: ["a.b", "\u{E9}", String(repeating: "a", count: 65)])
    func anIDThatNoWriterCanHaveIsAMistakeOnlyWhereOneIsToBeMadeOfIt(id: String) throws {
        let path = "/v1/writers/" + id.utf8.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "%" + String($0, radix: 16) }.joined()
        for (method, code) in [("PUT", ProblemCode.invalidParameter), ("GET", .writerNotFound), ("DELETE", .writerNotFound)] {
            let request = try head(method, path)
            let found = try #require(problem { _ = try Route.match(request) })
            #expect(found.code == code && found.parameter == "id", "\(method)")
        }
    }

    @Test(arguments: ["x", "-1", "+1", "1.0", "99999999999999999999", "%31x"])
    func isNoStream(index: String) throws {
        let request = try head("POST", "/v1/writers/a/streams/\(index)/chunks")
        #expect(problem { _ = try Route.match(request) }?.code == .streamNotFound)
    }

    @Test func anEscapedDigitIsTheDigit() throws {
        #expect(try Route.match(try head("POST", "/v1/writers/a/streams/%31/chunks")).stream == 1)
    }
}
