import Testing
import WriterModel

@Suite struct FileSignatureTests {
    /// A head from numpy.lib.format and one from the WAVE specification, a byte at a time.
    @Test func aFileIsKnownByItsHeadHoweverItComes() {
        let heads: [[UInt8]] = [
            [0x93] + Array("NUMPY".utf8) + [1, 0], Array("RIFF".utf8) + [0x24, 0, 0, 0] + Array("WAVE".utf8), Array("YUV4MPEG2 ".utf8),
        ]
        for head in heads {
            for count in 1..<head.count { #expect(FileSignature.match(head[..<count]) == .undecided) }
            guard case .found(let signature) = FileSignature.match(head + [0x66]) else { return #expect(Bool(false), "\(head)") }
            #expect(signature.isArray == (head[0] == 0x93))
        }
    }

    @Test(arguments: [[0, 0, 0, 0], [0x52, 0x49, 0x46, 0x47], Array("RIFF1234WAVY".utf8), [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 9], [0xFF]] as [[UInt8]])
    func whatOnlyBeginsLikeOneIsNone(bytes: [UInt8]) {
        let match = FileSignature.match(bytes + [UInt8](repeating: 0, count: 30))
        #expect(match == .none)
    }
}
