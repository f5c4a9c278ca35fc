import Testing
import WriterModel

@Suite struct RetryOrderTests {
    private static let signed = "https://user:pw@s.example.com/a/b.mp4?X-Signature=1234#x"

    @Test func secretsAreNotKept() throws {
        let order = RetryOrder(destination: Self.signed, format: "mp4", option: ["headers": "A: secret", "method": "POST"])
        #expect(order.destination == "https://s.example.com/a/b.mp4" && order.needsDestination)
        #expect(order.option == ["method": "POST"] && order.withheld == ["headers"])
        #expect(RetryOrder(json: order.json) == order)
        let plain = RetryOrder(destination: "s3://archive/a?b.mp4", format: "mp4", option: [:])
        #expect(plain.destination == "s3://archive/a?b.mp4" && !plain.needsDestination)
    }

    @Test func theyAreGivenAgain() throws {
        let order = RetryOrder(destination: Self.signed, format: "mp4", option: ["headers": "A: secret"])
        let renewed = "HTTPS://s.example.com/a/b.mp4?X-Signature=5678"
        let completed = try order.completed(by: ["dst": .string(renewed), "option": ["headers": "A: other"]])
        #expect(completed.destination == renewed && completed.option == ["headers": "A: other"] && completed.withheld.isEmpty)
        #expect(try order.completed(by: ["dst": .string(renewed), "option": ["headers": ""]]).option == [:])
    }

    private static let incomplete: [(String, JSONValue)] = [
        ("dst", ["option": ["headers": "A: b"]]), ("dst", ["dst": "https://s.example.com/a/c.mp4", "option": ["headers": "A: b"]]),
        ("dst", ["dst": "https://t.example.com/a/b.mp4", "option": ["headers": "A: b"]]), ("option.headers", ["dst": "https://s.example.com/a/b.mp4"]),
        ("other", ["other": 1]),
    ]

    @Test(arguments: incomplete)
    func whatIsMissingOrAnotherIsRefused(parameter: String, body: JSONValue) {
        let order = RetryOrder(destination: Self.signed, format: "mp4", option: ["headers": "A: secret"])
        let problem = #expect(throws: Problem.self) { try order.completed(by: body) }
        #expect(problem?.parameter == parameter)
    }
}
