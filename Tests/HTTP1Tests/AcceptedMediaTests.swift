import HTTP1
import Testing

@Suite struct AcceptedMediaTests {
    /// The example of RFC 9110 §12.5.1, with the weights that it gives; no type here has parameters.
    @Test func mostSpecificRangeCounts() {
        let accepted = AcceptedMedia(["text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"])
        #expect(accepted.weight(of: "text/plain") == 700)
        #expect(accepted.weight(of: "text/html") == 300)
        #expect(accepted.weight(of: "image/jpeg") == 500)
    }

    @Test(arguments: [
        ("", 1_000, 1_000), ("*/*", 1_000, 1_000), ("text/plain", 1_000, 0), ("TEXT/Plain", 1_000, 0), ("text/plain;q=0", 0, 0),
        ("application/json", 0, 1_000), ("text/plain;q=0.001,*/*;q=0.002", 1, 2), ("text/plain ; Q=0.5 , application/*;q=0.25", 500, 250),
        ("text/*", 1_000, 0), ("text/plain;charset=utf-8", 1_000, 0), ("text/plain;charset=\"UTF-8\"", 1_000, 0), ("text/plain;charset=latin1, */*;q=0.1", 100, 100),
        // A comma in quotes ends no element, and what follows the weight is no parameter of the type.
        ("text/plain;q=0.5;a=\",application/json\"", 500, 0), ("text/plain;q=1.000", 1_000, 0),
        // What is no media range counts for nothing.
        ("text/plain;q=2", 1_000, 1_000), ("text/plain;q=0.1234", 1_000, 1_000), ("text/plain;q=-1, application/json;q=.5", 1_000, 1_000),
        ("text/plain;q=1.001, application/json;q=0.5", 0, 500), (",,;,text,a/b/c", 1_000, 1_000), ("text/plain;\"", 1_000, 1_000),
    ])
    func weights(field: String, text: Int, json: Int) {
        let accepted = AcceptedMedia([field])
        #expect(accepted.weight(of: "text/plain") == text)
        #expect(accepted.weight(of: "application/json") == json)
    }

    @Test func severalFieldsAreOne() {
        let accepted = AcceptedMedia(["application/json;q=0.2", "text/plain;q=0.4"])
        #expect(accepted.weight(of: "text/plain") == 400 && accepted.weight(of: "application/json") == 200)
    }
}
