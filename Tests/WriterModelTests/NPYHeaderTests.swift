import Testing
import WriterModel

/// numpy.lib.format describes the file; the heads here are what NumPy 1.24 writes.
@Suite struct NPYHeaderTests {
    static func head(_ dictionary: String, version: UInt8 = 1) -> [UInt8] {
        let text = Array((dictionary + "\n").utf8)
        let length = version == 1 ? [UInt8(text.count & 0xFF), UInt8(text.count >> 8)] : [UInt8(text.count & 0xFF), UInt8(text.count >> 8), 0, 0]
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func aHeadOfEachVersionIsRead(version: UInt8) throws {
        let bytes = Self.head("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", version: version)
        let wanted = NPYHeader(dtype: "<f4", fortranOrder: false, shape: [3, 2])
        #expect(try NPYHeader.parse(bytes) == .complete(wanted, bytes: bytes.count))
        // The data behind it is nobody's business here.
        #expect(try NPYHeader.parse(bytes + [1, 2, 3]) == .complete(wanted, bytes: bytes.count))
    }

    @Test(arguments: [
        ("{'descr': '|u1', 'fortran_order': True, 'shape': (5,), }", "|u1", true, [5]),
        ("{'descr': '>i8', 'fortran_order': False, 'shape': (), }", ">i8", false, []),
        ("{\"shape\": (1, 2, 3), \"descr\": \"<i2\", \"fortran_order\": False}", "<i2", false, [1, 2, 3]),
        ("{'descr': '<i2', 'fortran_order': False, 'shape': (10L, 2L), }", "<i2", false, [10, 2]),
    ] as [(String, String, Bool, [Int])])
    func aDictionaryIsReadInAnyOrder(text: String, dtype: String, fortranOrder: Bool, shape: [Int]) throws {
        let bytes = Self.head(text)
        #expect(
            try NPYHeader.parse(bytes)
                == .complete(NPYHeader(dtype: dtype, fortranOrder: fortranOrder, shape: shape), bytes: bytes.count))
    }

    @Test func everyBeginningAsksForMoreAndNeverForLess() throws {
        let bytes = Self.head("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }")
        for count in 0..<bytes.count {
            guard case .needsMore(let wanted) = try NPYHeader.parse(Array(bytes[..<count])) else {
                Issue.record("\(count) bytes were enough")
                continue
            }
            #expect(wanted > count && wanted <= bytes.count)
        }
    }

    @Test(arguments: [
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", "{'descr': '<f4', 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': [3], }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "", "{", "{}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } x",
    ])
    func anythingElseIsMalformed(text: String) {
        #expect(throws: NPYHeader.Malformed.self) { try NPYHeader.parse(Self.head(text)) }
    }

    @Test func otherFilesAndVersionsAreMalformed() {
        #expect(throws: NPYHeader.Malformed.self) { try NPYHeader.parse(Array("RIFF....WAVE".utf8)) }
        #expect(throws: NPYHeader.Malformed.self) { try NPYHeader.parse(Self.head("{}", version: 4)) }
        #expect(throws: NPYHeader.Malformed.self) {
            try NPYHeader.parse([0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0x7F])
        }
    }
}
