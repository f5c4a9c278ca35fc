import APICore
import Foundation
import HTTP1
import Testing
import WriterModel
import Yams

extension EndToEnd {
    /// openapi.yaml says what the server does.
    @Suite struct ContractTests {
        @Test func servedContractIsTheOneInTheRepository() async throws {
            try await withServer { server in
                let served = try await server.curl("GET", "/openapi.yaml")
                #expect(served.status == 200)
                #expect(served["Content-Type"]?.hasPrefix("application/yaml") == true)
                #expect(try served.body == Data(contentsOf: URL(fileURLWithPath: Repository.contract)))
            }
        }

        /// HEAD is routed wherever GET is; documenting it is up to the operation.
        @Test func contractHasEveryRouteAndNoOther() throws {
            let documented = Set(try Contract.load().operations.map { "\($0.method) \($0.path)" })
            let routed = Set(Route.all.map { "\($0.method.rawValue) \($0.template)" })
            let heads = Set(Route.all.filter { $0.method == .get }.map { "HEAD \($0.template)" })
            #expect(routed.subtracting(documented) == [], "routes that openapi.yaml lacks")
            #expect(documented.subtracting(routed).subtracting(heads) == [], "operations without a route")
        }

        /// Generators name clients' functions after operationIds. A HEAD of what has a GET has an id of its own.
        @Test func contractSaysOfEachRouteWhatTheTableSays() throws {
            let operations = try Contract.load().operations
            let routes = Dictionary(uniqueKeysWithValues: Route.all.map { ("\($0.method.rawValue) \($0.template)", $0) })
            for operation in operations {
                let context = Comment(rawValue: operation.id)
                let own = routes["\(operation.method) \(operation.path)"]
                if let own { #expect(operation.id == own.id) }
                let route = try #require(own ?? routes["GET \(operation.path)"], context)
                if case .only(let names) = route.query { #expect(operation.query == names, context) }
                if operation.takesJSON { #expect(route.takesJSON, context) }
                #expect(operation.scopes ?? ["read"] == route.scope.names, context)
            }
            #expect(Set(operations.map(\.id)).count == operations.count)
            // The others are served without a token only where no operation asks for one.
            let open = Set(operations.filter { $0.description.contains("Without a token") }.map(\.id))
            #expect(open == ["livez", "readyz", "getMetrics", "getContract"])
        }

        /// Of each operation's own outcomes `Contract.check` sees those that tests bring about.
        @Test func contractHasForEachOperationWhatAnyRequestOfItsKindCanGet() throws {
            let routes = Dictionary(uniqueKeysWithValues: Route.all.map { ("\($0.method.rawValue) \($0.template)", $0) })
            // What is said of a request before its route, and of its token.
            let ofEvery: Set = [400, 401, 403, 408, 413, 414, 417, 429, 431, 501, 503, 505]
            for operation in try Contract.load().operations {
                let key = "\(operation.method) \(operation.path)"
                let route = try #require(routes[key] ?? routes["GET \(operation.path)"])
                var needed = ofEvery
                switch route.operation {
                case .server, .listWriters: break
                case .creation(.putWriter): needed.formUnion([421, 500, 504])
                // An encoder serves them, and may die or hang.
                case .creation, .encode, .catalog: needed.formUnion([500, 504])
                // Or has no such writer, or it is finalized by an encoder that outlived the server.
                case .writer(.getWriter): needed.formUnion([404, 421, 500, 504])
                case .writer: needed.formUnion([404, 409, 421, 500, 504])
                }
                if route.takesJSON { needed.formUnion([415, 422]) }
                if case .only = route.query { needed.insert(422) }
                if operation.path.contains("{name}") { needed.insert(404) }
                #expect(needed.subtracting(operation.statuses) == [], "\(key)")
            }
        }

        @Test(arguments: [(nil, 401), ("reader", 200), ("unknown", 401)] as [(String?, Int)])
        func protectedOperationsAskForAToken(token: String?, status: Int) async throws {
            let folder = try TemporaryFolder()
            try Data("reader read\n".utf8).write(to: URL(fileURLWithPath: folder / "tokens"))
            try await withServer(["--token-file", folder / "tokens", "--protect-operations"]) { server in
                for path in ["/livez", "/readyz", "/metrics", "/openapi.yaml"] {
                    let response = try await server.curl("GET", path, headers: token.map { ["Authorization: Bearer \($0)"] } ?? [])
                    #expect(response.status == status, "\(path)")
                    #expect((response["WWW-Authenticate"] != nil) == (status == 401), "\(path)")
                }
            }
        }

        @Test func contractNamesEveryProblemCode() throws {
            let text = try String(contentsOfFile: Repository.contract, encoding: .utf8)
            #expect(ProblemCode.allCases.filter { !text.contains("`\($0.rawValue)`") } == [])
        }

        /// RFC 9457 §3.2: extension members. `expected-offset` was once called otherwise in the contract.
        @Test func contractHasEveryMemberThatAProblemIsGiven() throws {
            let sources = Repository.root + "/Sources"
            let files = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
            var given: Set<String> = []
            let lists = try Regex(#"extras(?:: \[JSONObject\.Member\])?(?::| =) \[((?:[^\[\]]|\[[^\]]*\])*)\]"#)
            for file in files {
                let text = try String(contentsOfFile: sources + "/" + file, encoding: .utf8)
                for match in text.matches(of: /extras\.append\(\.init\("([^"]+)"/) { given.insert(String(match.1)) }
                // A list of pairs, up to its own bracket.
                for list in text.matches(of: lists) {
                    for pair in (list.output[1].substring ?? "").matches(of: #/\("([A-Za-z_-]+)", /#) { given.insert(String(pair.1)) }
                }
            }
            #expect(given.isSuperset(of: ["expected-offset", "provided-offset", "offset", "paths", "request_id", "pointer", "limit", "state", "position"]), "\(given)")
            let members = try #require(try Contract.load().members(of: "Problem"))
            #expect(given.subtracting(members) == [])
        }

        @Test func everyDocumentedOperationIsRoutedAndAnswersAsDocumented() async throws {
            let contract = try Contract.load()
            try await withServer { server in
                for operation in contract.operations {
                    // A writer of its own, as DELETE and finalize end one.
                    let created = try await server.curl(
                        "PUT", "/v1/writers/\(operation.id)", body: .json(Self.description(operation.id)))
                    try #require(created.status == 201, "\(created.text)")
                    let path = operation.path
                        .replacingOccurrences(of: "{id}", with: operation.id)
                        .replacingOccurrences(of: "{index}", with: "0").replacingOccurrences(of: "{output}", with: "main")
                        .replacingOccurrences(of: "{name}", with: operation.path.contains("muxers") ? "mp4" : operation.path.contains("filters") ? "scale" : "aac")
                    // The output of a live writer is followed to its end.
                    if path.hasSuffix("/output") || path.hasSuffix("/outputs/main") { try await server.finalize(operation.id) }
                    let response = try await server.curl(operation.method, path)
                    let context = Comment(rawValue: "\(operation.method) \(path): \(response.status) \(response.text)")
                    #expect(operation.statuses.contains(response.status), context)
                    // The writer has no output of that name.
                    #expect(response.status != 405 && (response.status != 404 || response.problem == "output-not-found"), context)
                }
            }
        }

        private static func description(_ id: String) -> JSON {
            let audio: JSON = ["type": "audio", "sample_rate": 8_000, "num_channels": 1]
            return ["dst": .string("\(id).wav"), "streams": [audio], "open": true]
        }

        @Test func answersHaveOnlyDocumentedMembers() async throws {
            let contract = try Contract.load()
            let audio: JSON = [
                "type": "audio", "sample_rate": 8_000, "num_channels": 1, "format": "s16", "encoder": "flac",
                "encoder_option": ["lpc_passes": "2"], "codec_config": ["compression_level": 3],
                "filter_desc": "volume=0.5",
            ]
            let video: JSON = [
                "type": "video", "frame_rate": "30000/1001", "width": 64, "height": 48, "layout": "nchw",
            ]
            try await withServer { server in
                let created = try await server.curl(
                    "POST", "/v1/writers",
                    body: .json([
                        "dst": "a.mkv", "metadata": ["title": "t"], "streams": [video, audio], "open": true,
                    ]))
                try #require(created.status == 201, "\(created.text)")
                let id = created.json["id"].string ?? ""
                contract.expect(created.json, matches: "Writer")
                for stream in created.json["streams"].array { contract.expect(stream, matches: "Stream") }
                let receipt = try await server.sendChunk(Data(count: 1_600), to: id, stream: 1)
                contract.expect(receipt, matches: "Receipt")
                let early = try await server.curl(
                    "POST", "/v1/writers/\(id)/streams/1/chunks?pts=0", body: .bytes(Data(count: 2)))
                contract.expect(early.json, matches: "Problem")
                let closed = try await server.finalize(id)
                contract.expect(closed, matches: "Writer")
                contract.expect(closed["result"], matches: "Result")
                contract.expect(try await server.curl("GET", "/v1/writers").json, matches: "WriterList")
                contract.expect(try await server.curl("GET", "/v1/version").json, matches: "Version")
                let planned = try await server.curl(
                    "POST", "/v1/writers?dry_run=true", body: .json(["dst": "b.mkv", "streams": [video, audio], "open": true]))
                contract.expect(planned.json, matches: "WriterPlan")
                let folder = try await server.createWriter([
                    "dst": "show/live.m3u8",
                    "streams": [["type": "video", "frame_rate": 25, "width": 64, "height": 48]], "open": true,
                ])
                contract.expect(try await server.finalize(folder)["result"], matches: "Result")
            }
        }

        @Test func capabilitiesHaveOnlyDocumentedMembers() async throws {
            let contract = try Contract.load()
            let lists = [
                ("/v1/muxers", "MuxerList", "muxers", "Muxer"),
                ("/v1/output-devices", "OutputDeviceList", "output_devices", "Muxer"),
                ("/v1/audio-encoders", "EncoderList", "encoders", "Encoder"),
                ("/v1/video-encoders", "EncoderList", "encoders", "Encoder"),
                ("/v1/filters", "FilterList", "filters", "Filter"),
                ("/v1/output-protocols", "ProtocolList", "protocols", nil),
            ]
            try await withServer { server in
                for (path, list, member, element) in lists {
                    let answer = try await server.curl("GET", path).json
                    contract.expect(answer, matches: list)
                    guard let element else { continue }
                    for item in answer[member].array { contract.expect(item, matches: element) }
                }
                for (path, schema) in [("/v1/encoders/libx264", "Encoder"), ("/v1/muxers/mp4", "Muxer"), ("/v1/filters/scale", "Filter")] {
                    let answer = try await server.curl("GET", path).json
                    contract.expect(answer, matches: schema)
                    #expect(!answer["options"].array.isEmpty)
                    for option in answer["options"].array {
                        contract.expect(option, matches: "Option")
                        for choice in option["choices"].array { contract.expect(choice, matches: "Choice") }
                    }
                }
            }
        }
    }
}

/// openapi.yaml, read.
struct Contract {
    struct Operation {
        let method: String
        let path: String
        let id: String
        let description: String
        let statuses: Set<Int>
        /// The names of its query's parameters.
        let query: Set<String>
        let takesJSON: Bool
        /// What its token must allow; nil: it needs none.
        let scopes: [String]?
    }

    let operations: [Operation]
    private let schemas: [String: (properties: Set<String>, required: Set<String>)]

    static func load() throws -> Contract {
        let text = try String(contentsOfFile: Repository.contract, encoding: .utf8)
        guard let document = try Yams.load(yaml: text) as? [String: Any],
            let paths = document["paths"] as? [String: [String: Any]],
            let components = document["components"] as? [String: Any],
            let schemas = components["schemas"] as? [String: [String: Any]]
        else { throw HarnessError("openapi.yaml is not an OpenAPI document") }
        return Contract(
            operations: paths.flatMap { path, item in
                item.compactMap { method, value in Operation(method, path, value, of: item, in: document) }
            }.sorted { $0.id < $1.id },
            schemas: schemas.mapValues { schema in
                (
                    Set((schema["properties"] as? [String: Any] ?? [:]).keys),
                    Set(schema["required"] as? [String] ?? [])
                )
            })
    }

    func members(of schema: String) -> Set<String>? { schemas[schema]?.properties }

    static let shared = Result { try load() }

    /// Holds the response to every request of every test against the contract: its operation has the status; a
    /// problem, and a writer's failure, have no member that is not in it.
    static func check(_ response: Response, to method: String, _ target: String) {
        guard let contract = try? shared.get() else { return }
        if let operation = contract.operation(method, target) {
            #expect(operation.statuses.contains(response.status), "openapi.yaml lacks \(response.status) of \(operation.id): \(response.text)")
        }
        guard method != "HEAD", response["Content-Type"]?.contains("json") == true else { return }
        if response["Content-Type"] == "application/problem+json" { contract.expect(response.json, matches: "Problem") }
        let failure = response.json["failure"]
        if failure != .null { contract.expect(failure, matches: "Problem") }
    }

    /// Whose request that is; nil where the contract has none such. HEAD is taken wherever GET is.
    private func operation(_ method: String, _ target: String) -> Operation? {
        let path = target.prefix { $0 != "?" && $0 != "#" }.split(separator: "/", omittingEmptySubsequences: false)
        func find(_ method: String) -> Operation? {
            operations.first { operation in
                let parts = operation.path.split(separator: "/", omittingEmptySubsequences: false)
                guard operation.method == method, parts.count == path.count else { return false }
                return zip(parts, path).allSatisfy { $0 == $1 || ($0.hasPrefix("{") && !$1.isEmpty) }
            }
        }
        return find(method) ?? (method == "HEAD" ? find("GET") : nil)
    }

    /// That `object` has every required member of the schema, and none that the schema lacks.
    func expect(_ object: JSON, matches name: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let schema = schemas[name] else {
            Issue.record("no schema \(name)", sourceLocation: sourceLocation)
            return
        }
        let members = Set(object.object.keys)
        #expect(members.subtracting(schema.properties) == [], "\(name): undocumented", sourceLocation: sourceLocation)
        #expect(schema.required.subtracting(members) == [], "\(name): missing", sourceLocation: sourceLocation)
    }
}

extension Contract.Operation {
    /// nil: a path's member that is no operation.
    fileprivate init?(_ method: String, _ path: String, _ value: Any, of item: [String: Any], in document: [String: Any]) {
        guard let operation = value as? [String: Any], let id = operation["operationId"] as? String,
            let responses = operation["responses"] as? [String: Any]
        else { return nil }
        let all = [item, operation].flatMap { $0["parameters"] as? [[String: Any]] ?? [] }
        let parameters = all.map { Self.resolved($0, in: document) }
        let body = Self.resolved(operation["requestBody"] as? [String: Any] ?? [:], in: document)
        let security = operation["security"] ?? document["security"]
        self.init(
            method: method.uppercased(), path: path, id: id, description: operation["description"] as? String ?? "", statuses: Set(responses.keys.compactMap { Int($0) }),
            query: Set(parameters.filter { $0["in"] as? String == "query" }.compactMap { $0["name"] as? String }),
            takesJSON: (body["content"] as? [String: Any])?["application/json"] != nil,
            scopes: (security as? [[String: Any]] ?? []).lazy.compactMap { $0["bearer"] as? [String] }.first)
    }

    /// What a `$ref` names.
    private static func resolved(_ object: [String: Any], in document: [String: Any]) -> [String: Any] {
        guard let reference = object["$ref"] as? String else { return object }
        let names = reference.split(separator: "/").dropFirst()
        return names.reduce(document) { $0[String($1)] as? [String: Any] ?? [:] }
    }
}
