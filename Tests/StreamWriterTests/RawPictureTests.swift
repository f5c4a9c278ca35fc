import Foundation
import StreamWriter
import Testing

/// Raw video in containers that tell its pixel format by a tag: it came back as another format, and nothing said so.
@Suite struct RawPictureTests {
    let folder = TemporaryFolder()
    static let height = 6

    private static func config(_ format: String, width: Int = 64, as encoderFormat: String? = nil) -> VideoStreamConfig {
        VideoStreamConfig(frameRate: Rational(25, 1)!, width: width, height: height, format: format, encoder: "rawvideo", encoderFormat: encoderFormat)
    }

    private func add(_ config: VideoStreamConfig, to name: String) throws -> StreamDescription {
        let writer = try StreamWriter(destination: folder.destination(name), format: nil)
        return writer.description(of: try writer.addStream(.video(config)))
    }

    private static let formats = [
        "gray8", "gray16le", "gray16be", "ya8", "ya16le", "rgb24", "bgr24", "rgba", "bgra", "rgb0", "0rgb", "gbrp", "gbrap", "rgb48le", "rgb48be", "rgba64le", "gbrpf32le",
        "yuv420p", "yuv422p", "yuv444p", "yuva420p", "yuv420p10le", "yuv422p10le", "yuv444p16le", "nv12", "nv16", "nv20le", "nv24", "nv42", "p010le",
        "uyvy422", "yuyv422", "y210le", "x2rgb10le", "rgb555le", "rgb565le", "monow",
    ]

    @Test(arguments: ["avi", "mov", "nut"], [64, 63, 7]) func whatIsTakenComesBackAsItWas(container: String, width: Int) throws {
        var taken = 0
        for format in Self.formats {
            let name = "\(format).\(container)"
            let description: StreamDescription
            do {
                description = try add(Self.config(format, width: width), to: name)
            } catch {
                let error = try #require(error as? StreamWriterError)
                #expect(error.code == .unsupportedValue && error.parameter == "encoder_format" && error.message.contains(container), "\(error)")
                let other = try #require(error.supported?.first)
                // libav makes no others of some.
                guard error.message.contains("encoder_format \(other)") else { continue }
                #expect(try add(Self.config(format, width: width, as: other), to: name).encoderFormat == other)
                continue
            }
            taken += 1
            #expect(description.warnings.isEmpty, "\(description.warnings)")
            let data = Self.picture(format, description.inputFrameBytes)
            try encode(.video(Self.config(format, width: width)), data, to: folder.destination(name))
            let path = folder.path(name)
            #expect(try probe(path)["pix_fmt"] == (description.encoderFormat == "gray8" ? "gray" : description.encoderFormat), "\(name)")
            let expected = try converted(data, from: format, to: description.encoderFormat, width: width)
            #expect(try decodeVideo(path, format: description.encoderFormat) == expected, "\(name) as \(description.encoderFormat)")
        }
        #expect(taken >= 8)
    }

    /// By FFmpeg, from one order to another.
    private func converted(_ data: Data, from format: String, to other: String, width: Int) throws -> Data {
        let format = format == "gray8" ? "gray" : format
        if format == other { return data }
        try data.write(to: folder.url.appendingPathComponent("sent"))
        return try run([
            "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", format, "-s", "\(width)x\(Self.height)", "-i", folder.path("sent"), "-pix_fmt", other,
            "-f", "rawvideo", "-",
        ])
    }

    /// Samples have the bits of their format alone.
    private static func picture(_ format: String, _ bytes: Int) -> Data {
        var data = pictures(count: 1, bytesPerFrame: bytes)
        let masks: [String: (even: UInt8, odd: UInt8)] = [
            "yuv420p10le": (0xff, 0x03), "yuv422p10le": (0xff, 0x03), "nv20le": (0xff, 0x03), "p010le": (0xc0, 0xff), "y210le": (0xc0, 0xff),
            "rgb555le": (0xff, 0x7f),
        ]
        if let mask = masks[format] { for index in data.indices { data[index] &= index % 2 == 0 ? mask.even : mask.odd } }
        if format == "x2rgb10le" { for index in stride(from: 3, to: data.count, by: 4) { data[index] &= 0x3f } }
        if format == "gbrpf32le" { data = Data(count: bytes) }
        return data
    }

    @Test(arguments: [("rgb24", "avi", "bgr24"), ("p010le", "nut", "yuv420p10le"), ("rgb24", "nut", "rgb24"), ("yuv420p", "avi", "yuv420p"), ("rgb24", "mov", "rgb24")])
    func anotherOrderOfTheSameNumbersIsTaken(format: String, container: String, expected: String) throws {
        #expect(try add(Self.config(format), to: "a.\(container)").encoderFormat == expected)
    }

    @Test(arguments: [("yuv420p", "mov"), ("yuv440p", "avi"), ("gray16le", "avi"), ("gbrpf32le", "nut"), ("ya16le", "nut")])
    func whatWouldLoseIsRefused(format: String, container: String) throws {
        for named in [nil, format] {
            let error = try #require(throws: StreamWriterError.self) { try add(Self.config(format, as: named), to: "a.\(container)") }
            #expect(error.code == .unsupportedValue && error.parameter == "encoder_format" && error.supported?.isEmpty == false)
            #expect(error.message.contains("the format \(container) does not keep raw pictures of \(format)"), "\(error.message)")
        }
    }

    @Test func formatsThatAreNamedAreRefusedWhereTheyAreNotKept() throws {
        for (format, container) in [("rgb24", "avi"), ("gbrp", "mov"), ("nv24", "nut")] {
            let error = try #require(throws: StreamWriterError.self) { try add(Self.config("rgb24", as: format), to: "a.\(container)") }
            #expect(error.code == .unsupportedValue && error.parameter == "encoder_format")
        }
    }

    @Test func everyContainerMustKeepThem() throws {
        let outputs = ["a.nut", "b.avi"].map { OutputConfig(name: $0, destination: folder.destination($0)) }
        let writer = try StreamWriter(outputs: outputs)
        let error = try #require(throws: StreamWriterError.self) { try writer.addStream(.video(Self.config("rgb24"))) }
        #expect(error.parameter == "encoder_format" && error.message.hasPrefix("output b.avi: "), "\(error.message)")
    }

    @Test(arguments: [("nut", [Warning.Code.notStored]), ("avi", [.notStored]), ("mkv", [])])
    func fullRangeThatIsLostIsSaid(container: String, expected: [Warning.Code]) throws {
        let name = "a.\(container)"
        let description = try add(Self.config("yuvj420p"), to: name)
        #expect(description.warnings.map(\.code) == expected)
        try encode(.video(Self.config("yuvj420p")), pictures(count: 1, bytesPerFrame: description.inputFrameBytes), to: folder.destination(name))
        #expect((try probe(folder.path(name))["color_range"] == "pc") == expected.isEmpty)
    }
}
