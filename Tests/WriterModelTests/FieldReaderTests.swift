import Testing
import WriterModel

@Suite struct FieldReaderTests {
    private func problem(_ json: JSONValue, at pointer: String = "", _ read: (inout FieldReader) throws -> Void) -> Problem? {
        do {
            var reader = try FieldReader(json, at: pointer)
            try read(&reader)
            try reader.finish()
            return nil
        } catch {
            return error as? Problem
        }
    }

    private func pointer(_ problem: Problem?) -> String? { problem?.extras.first { $0.name == "pointer" }?.value.stringValue }

    @Test func aMemberNobodyAskedForIsNamedByItsPointer() {
        let found = problem(["a": 1, "b": 2], at: "/streams/0") { _ = try $0.integer("a") }
        #expect(found?.code == .unknownParameter)
        #expect(found?.parameter == "b")
        #expect(found?.supported == ["a"])
        #expect(pointer(found) == "/streams/0/b")
    }

    // RFC 6901 §3: "~" is "~0", "/" is "~1"; everything else stands for itself.
    @Test(arguments: [("a/b", "/a~1b"), ("m~n", "/m~0n"), ("~1", "/~01"), ("", "/"), ("/\u{301}", "/~1\u{301}"), (" é", "/ é")])
    func pointersAreEscaped(name: String, expected: String) {
        let found = problem(.object(JSONObject([(name, 1)]))) { _ in }
        #expect(pointer(found) == expected)
        #expect(found?.parameter == name)
    }

    @Test(arguments: [JSONValue.integer(3), .number(3), .number(3e0)])
    func aWholeNumberIsAnInteger(value: JSONValue) throws {
        let found = problem(["n": value]) {
            let integer = try $0.integer("n")
            #expect(integer == 3)
        }
        #expect(found == nil)
    }

    @Test(arguments: [JSONValue.number(3.5), .number(1e300), .number(9_223_372_036_854_775_808), "3", true, [], [:]])
    func isNoInteger(value: JSONValue) {
        let found = problem(["n": value]) { _ = try $0.integer("n") }
        #expect(found?.code == .invalidParameter)
        #expect(pointer(found) == "/n")
        #expect(found?.parameter == "n")
    }

    @Test func nullIsAbsent() {
        let found = problem(["s": .null, "b": .null]) {
            let (string, bool) = (try $0.string("s"), try $0.bool("b"))
            #expect(string == nil && bool == nil)
        }
        #expect(found == nil)
    }

    @Test func aNULIsNoText() {
        #expect(problem(["s": "a\0b"]) { _ = try $0.string("s") }?.code == .invalidParameter)
        #expect(problem(["m": ["k": "a\0"]]) { _ = try $0.map("m") }?.code == .invalidParameter)
        #expect(problem(["m": ["": "a"]]) { _ = try $0.map("m") }?.code == .invalidParameter)
    }

    @Test func optionsAreTakenByTheirText() {
        let json: JSONValue = ["m": ["a": "x", "b": 2, "c": .number(0.5), "d": true, "e": false]]
        let found = problem(json) {
            let map = try $0.map("m")
            #expect(map == ["a": "x", "b": "2", "c": "0.5", "d": "1", "e": "0"])
        }
        #expect(found == nil)
        let nested = problem(["m": ["a/b": [1]]]) { _ = try $0.map("m") }
        #expect(pointer(nested) == "/m/a~1b")
        #expect(nested?.parameter == "m.a/b")
    }

    @Test(arguments: [JSONValue.null, 1, "x", [], true])
    func onlyAnObjectHasMembers(value: JSONValue) { #expect(problem(value) { _ in }?.code == .invalidParameter) }
}
