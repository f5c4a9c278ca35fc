import Testing
import WriterModel

@Suite struct LimitTests {
    static func field(_ name: String) throws -> LimitField {
        try #require(ServiceLimits.fields.first { $0.name == name })
    }

    /// What encoders get of the limits.
    static func arrived(_ limits: ServiceLimits) -> ServiceLimits? {
        guard case .start(let start)? = ControlMessage(ControlMessage.start(MessageTests.start(limits)).encoded) else { return nil }
        return start.limits
    }

    @Test func everyPropertyIsInTheTableOnce() {
        let properties = Mirror(reflecting: ServiceLimits()).children.compactMap { $0.label?.lowercased() }
        let names = ServiceLimits.fields.map { $0.name.replacing("-", with: "") }
        #expect((names + ["outputboundisoftoken"]).sorted() == properties.sorted())
        #expect(ServiceLimits.fields.allSatisfy { $0.member == $0.name.replacing("-", with: "_") })
    }

    @Test(arguments: ServiceLimits.fields.map(\.name))
    func aLimitReachesEncodersAndChangesNoOther(name: String) throws {
        let field = try Self.field(name)
        var limits = ServiceLimits()
        // Within every range, and no limit's default.
        let value = field.unit == .bytes && field.name.hasPrefix("max-") && field.zero != nil ? "99999999" : field.name == "max-json-bytes" || field.name == "max-head-bytes" ? "9999" : "7"
        #expect(field.set(value, in: &limits))
        #expect(field.text(in: limits) == value)
        let changed = ServiceLimits.fields.filter { $0.text(in: limits) != $0.text(in: ServiceLimits()) }
        #expect(changed.map(\.name) == [name])
        #expect(Self.arrived(limits) == limits)
    }

    @Test(arguments: ServiceLimits.fields.map(\.member) + ["output_bound_is_of_token"])
    func aMessageWithoutALimitIsNone(member: String) throws {
        let bytes = ControlMessage.start(MessageTests.start(ServiceLimits())).encoded
        var start = try #require(try JSONParser.parse(Array(bytes.dropFirst())).objectValue)
        var limits = try #require(start["limits"]?.objectValue)
        #expect(ControlMessage(bytes) != nil && limits[member] != nil)
        limits[member] = nil
        start["limits"] = .object(limits)
        #expect(ControlMessage([bytes[0]] + JSONValue.object(start).encoded) == nil)
        limits["max_unknown"] = 1
        start["limits"] = .object(limits)
        #expect(ControlMessage([bytes[0]] + JSONValue.object(start).encoded) == nil)
    }

    @Test(arguments: [
        ("max-writers", ["1", "1000000"], ["0", "-1", "1000001", "", "1.5", "1e3", "x", "99999999999999999999", " 7"]),
        ("max-output-bytes", ["0", "1048576", "9223372036854775807"], ["1", "1048575", "-1", "9223372036854775808", "1M"]),
        ("max-encoder-memory", ["0", "67108864"], ["1000", "67108863"]),
        ("idle-timeout", ["0", "0.5", "1000000000"], ["-1", "nan", "inf", "1e10", "", "1s"]),
        ("head-timeout", ["0.001", "1e3", "1000000"], ["0", "0.0001", "nan"]),
        ("max-load", ["0", "12.5", "100"], ["100.5", "-0.1"]),
    ])
    func aLimitIsTakenWithinItsRangeOnly(name: String, taken: [String], refused: [String]) throws {
        let field = try Self.field(name)
        for text in taken {
            var limits = ServiceLimits()
            #expect(field.set(text, in: &limits), "\(text)")
        }
        for text in refused {
            var limits = ServiceLimits()
            #expect(!field.set(text, in: &limits), "\(text)")
            #expect(limits == ServiceLimits())
        }
    }

    @Test func aRuleSaysWhatIsTaken() throws {
        #expect(try Self.field("max-writers").rule == "from 1 to 1000000")
        #expect(try Self.field("max-output-bytes").rule == "0 or at least 1048576")
        #expect(try Self.field("head-timeout").rule == "from 0.001 to 1000000")
    }

    @Test func aDefaultIsTakenAsItIsShown() {
        for field in ServiceLimits.fields {
            var limits = ServiceLimits()
            #expect(field.set(field.text(in: limits), in: &limits) && limits == ServiceLimits(), "\(field.name)")
        }
    }
}
