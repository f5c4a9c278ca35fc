/// How files begin that are sent where raw samples or pixels belong. Of each so many bytes are fixed that what is raw
/// begins so by chance in none of 2^40 bodies.
public struct FileSignature: Sendable, Equatable {
    /// To follow "The body begins as ".
    public let name: String
    /// It is an array that is taken under a media type of its own.
    public let isArray: Bool
    /// It may be an archive of arrays (.npz).
    public let isArchive: Bool

    public enum Match: Sendable, Equatable {
        case none
        /// With more bytes it may become one.
        case undecided
        case found(FileSignature)
    }

    /// What the bytes, the first of a body, are the beginning of.
    public static func match(_ bytes: some Collection<UInt8>) -> Match {
        var isUndecided = false
        for row in rows {
            guard zip(bytes, row.pattern).allSatisfy({ $1.takes($0) }) else { continue }
            if bytes.count >= row.pattern.count { return .found(FileSignature(name: row.name, isArray: row.isArray, isArchive: row.isArchive)) }
            isUndecided = true
        }
        return isUndecided ? .undecided : .none
    }

    /// The longest of them.
    public static let mostBytes = rows.map(\.pattern.count).max()!

    private enum Element {
        case byte(UInt8)
        case any
        case range(ClosedRange<UInt8>)
        case one([UInt8])

        func takes(_ byte: UInt8) -> Bool {
            switch self {
            case .byte(let value): byte == value
            case .any: true
            case .range(let range): range.contains(byte)
            case .one(let values): values.contains(byte)
            }
        }
    }

    private struct Row {
        let name: String
        let pattern: [Element]
        var isArray = false
        var isArchive = false
    }

    private static func text(_ text: String) -> [Element] { text.utf8.map { .byte($0) } }
    private static func bytes(_ bytes: UInt8...) -> [Element] { bytes.map { .byte($0) } }
    private static func any(_ count: Int) -> [Element] { Array(repeating: .any, count: count) }

    private static let rows: [Row] = [
        // numpy.lib.format.
        Row(name: "an .npy file does", pattern: bytes(0x93) + text("NUMPY") + [.range(1...3), .byte(0)], isArray: true),
        Row(name: "a WAVE file does", pattern: text("RIFF") + any(4) + text("WAVE")),
        Row(name: "an AVI file does", pattern: text("RIFF") + any(4) + text("AVI ")),
        Row(name: "a WAVE file does", pattern: text("RIFX") + any(4) + text("WAVE")),
        Row(name: "a WAVE file does", pattern: text("RF64") + any(4) + text("WAVE")),
        // Sony's GUID.
        Row(name: "a W64 file does", pattern: text("riff") + bytes(0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0, 0)),
        Row(name: "an AIFF file does", pattern: text("FORM") + any(4) + text("AIF") + [.one(Array("FC".utf8))]),
        Row(name: "a CAF file does", pattern: text("caff") + bytes(0, 1, 0, 0)),
        Row(name: "an AU file does", pattern: text(".snd") + bytes(0, 0) + [.range(0...1), .any, .any, .any, .any, .any, .byte(0), .byte(0), .byte(0)]),
        // RFC 9639, 8: STREAMINFO has 34 bytes.
        Row(name: "a FLAC file does", pattern: text("fLaC") + [.one([0, 0x80])] + bytes(0, 0, 34)),
        // RFC 3533, 6: the first page of a stream, at time 0.
        Row(name: "an Ogg file does", pattern: text("OggS") + bytes(0, 2, 0, 0, 0, 0, 0, 0, 0, 0)),
        // id3.org, ID3v2: four times seven bits for the size.
        Row(
            name: "an MP3 file with a tag does",
            pattern: text("ID3") + [.range(2...4), .byte(0), .one([0, 0x40, 0x80, 0xC0])] + Array(repeating: .range(0...0x7F), count: 4)),
        Row(name: "a YUV4MPEG2 file does", pattern: text("YUV4MPEG2 ")),
        Row(name: "a PNG file does", pattern: bytes(0x89) + text("PNG") + bytes(0x0D, 0x0A, 0x1A, 0x0A)),
        Row(name: "a JPEG file does", pattern: bytes(0xFF, 0xD8, 0xFF, 0xE0) + any(2) + text("JFIF") + bytes(0)),
        Row(name: "a JPEG file does", pattern: bytes(0xFF, 0xD8, 0xFF, 0xE1) + any(2) + text("Exif") + bytes(0)),
        Row(name: "a GIF file does", pattern: text("GIF8") + [.one(Array("79".utf8))] + text("a")),
        // ISO/IEC 14496-12, 4.3.
        Row(name: "an MP4 file does", pattern: bytes(0, 0, 0) + [.any] + text("ftyp") + Array(repeating: .range(0x20...0x7E), count: 4)),
        // RFC 8794, 11.2: EBMLVersion or the like comes first, behind a length of one byte or of eight.
        Row(name: "a Matroska file does", pattern: bytes(0x1A, 0x45, 0xDF, 0xA3) + [.range(0x80...0xFF), .byte(0x42), .one([0x82, 0x86, 0xF2, 0xF7])]),
        Row(
            name: "a Matroska file does",
            pattern: bytes(0x1A, 0x45, 0xDF, 0xA3, 1, 0, 0, 0, 0, 0, 0) + [.any, .byte(0x42), .one([0x82, 0x86, 0xF2, 0xF7])]),
        Row(name: "an FLV file does", pattern: text("FLV") + [.byte(1), .one([1, 4, 5])] + bytes(0, 0, 0, 9)),
        Row(name: "a WMA or WMV file does", pattern: bytes(0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9)),
        // APPNOTE.TXT, 4.3.7: what numpy.savez and torch.save make.
        Row(
            name: "a ZIP file (.npz, .pt) does",
            pattern: text("PK") + bytes(3, 4) + [.one([0, 10, 20, 45]), .byte(0), .any, .one([0, 8]), .one([0, 8]), .byte(0)], isArchive: true),
    ]
}
