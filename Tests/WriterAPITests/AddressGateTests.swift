import Testing
import WriterAPI
import WriterModel

@Suite struct AddressGateTests {
    private let gate = AddressGate()

    private func admit(_ url: String, _ patterns: String...) throws {
        gate.close(serverPorts: [8_080], ownAddresses: [[9, 9, 9, 9]])
        gate.admit(try OutputPolicy(patterns: patterns).permit(url).get())
    }

    private func isAllowed(_ address: [UInt8], host: String, port: Int) -> Bool {
        guard var judge = gate.judge(host: host, port: port) else { return false }
        let isAllowed = judge.allows(address)
        if !isAllowed { gate.note(refusedBy: judge) }
        return isAllowed
    }

    @Test func onlyWhatWasAdmittedIsLookedUp() throws {
        try admit("http://a.example/x", "http://*")
        #expect(isAllowed([8, 8, 8, 8], host: "a.example", port: 80))
        #expect(isAllowed([8, 8, 8, 8], host: "A.Example", port: 80))
        for (host, port) in [("b.example", 80), ("a.example", 81), ("8.8.8.8", 80), ("a.example.", 80), ("", 80)] {
            #expect(!isAllowed([8, 8, 8, 8], host: host, port: port), "\(host):\(port)")
        }
        #expect(gate.refusal == "The destination leads on to port 80, which it does not name.")
    }

    @Test func addressesThatNoPatternNamesAreRefusedAndSaidToBe() throws {
        try admit("http://a.example/x", "http://*")
        for (address, said) in [
            ([127, 0, 0, 1], "a loopback address"), ([10, 0, 0, 1], "a private address"), ([169, 254, 169, 254], "a link-local address"),
            ([0, 0, 0, 0], "an unspecified address"), ([224, 0, 0, 1], "a multicast address"), ([255, 255, 255, 255], "a reserved address"),
            ([UInt8](repeating: 0, count: 15) + [1], "a loopback address"),
        ] as [([UInt8], String)] {
            #expect(!isAllowed(address, host: "a.example", port: 80))
            #expect(gate.refusal == "a.example:80 is \(said), which only a pattern that names it allows.")
        }
    }

    @Test func theServersOwnPortIsNoDestinationWhateverNamesIt() throws {
        try admit("http://127.0.0.1:8080/v1/writers", "http://127.0.0.1:8080/*")
        try admit("http://me.example:8080/v1/writers", "http://me.example:8080/*")
        try admit("http://127.0.0.1:8081/", "http://127.0.0.1:8081/*")
        #expect(!isAllowed([127, 0, 0, 1], host: "127.0.0.1", port: 8_080))
        #expect(gate.refusal == "127.0.0.1:8080 is this server itself.")
        #expect(!isAllowed([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1], host: "127.0.0.1", port: 8_080))
        #expect(!isAllowed([0, 0, 0, 0], host: "127.0.0.1", port: 8_080))
        #expect(!isAllowed([9, 9, 9, 9], host: "me.example", port: 8_080))
        #expect(!isAllowed([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 9, 9, 9, 9], host: "me.example", port: 8_080))
        #expect(isAllowed([8, 8, 8, 8], host: "me.example", port: 8_080))
        #expect(isAllowed([127, 0, 0, 1], host: "127.0.0.1", port: 8_081))
    }

    /// Else nothing above would be asked.
    @Test func librariesCallWhatStandsBeforeTheCLibrary() { #expect(Interposition.isInPlace) }
}
