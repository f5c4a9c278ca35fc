import Libav
import StreamWriter

/// Pictures of the sizes 1 to 17 in both directions, in formats of every kind.
enum VideoCases {
    /// Each width and each height at least three times: squares, both sides apart, and lines of one, two and
    /// three pixels, where filters that look at neighbors have none.
    static let sizes: [(width: Int, height: Int)] = {
        var sizes: [(width: Int, height: Int)] = []
        for side in 1...17 {
            sizes += [(side, side), (side, 1 + side * 5 % 17), (side, 1 + side % 3), (1 + side % 3, side)]
        }
        var seen: Set<[Int]> = []
        return sizes.filter { seen.insert([$0.width, $0.height]).inserted }
    }()

    /// The first of each kind of layout that a filter takes as it is are tried, and the first two of the rest.
    private static let formats = [
        "yuv420p", "rgb24", "gray", "yuv444p10le", "bgra", "nv12", "yuv410p", "rgb48le", "monow", "gbrp", "yuva420p", "yuv411p",
        "gray16le", "gbrpf32le", "yuv440p", "ya8", "yuyv422", "yuv422p", "gbrap", "p010le", "rgb565le", "grayf32le", "gray10le",
        "monob", "yuv422p10le", "yuv420p10le", "yuv444p", "uyvy422", "rgba64le", "gbrp10le", "yuvj420p", "bgr0", "rgb8", "bgr4_byte",
    ]
    private static let mostFormats = 4

    /// The plain one at all sizes, the others at some.
    static func filter(_ descriptions: [(label: String, text: String)]) -> [Case] {
        descriptions.enumerated().flatMap { index, description in
            // A picture that no filter finds too small.
            let native = formats.filter { takes($0, description.text.sized(64, 64)) }
            let others = formats.filter { !native.contains($0) }.prefix(native.isEmpty ? 2 : 1)
            let chosen = native.prefix(mostFormats) + others
            return chosen.prefix(index == 0 ? chosen.count : 1).enumerated().flatMap { place, format in
                sizes(of: description.text, isPlain: index == 0, place + index).map { width, height in
                    Case(name: "\(width)x\(height) \(format) \(description.label)") {
                        try encode(
                            .init(
                                frameRate: Rational(25, 1)!, width: width, height: height, format: format, encoder: "rawvideo",
                                filterDesc: description.text.sized(width, height)), frames: 6)
                    }
                }
            }
        }
    }

    private static func sizes(of description: String, isPlain: Bool, _ number: Int) -> [(width: Int, height: Int)] {
        // What a source gives has no other size than its own.
        if description.hasPrefix("[in]nullsink") && !description.contains("{size}") { return [(16, 16)] }
        if slow.contains(where: { description.contains($0) }) { return isPlain ? few(number) + few(number + 1) : [(16, 16)] }
        return isPlain ? sizes : few(number)
    }

    /// They look for fonts, fill tables of millions of entries, or draw large pictures, each time they are made.
    private static let slow = ["avgblur", "drawtext", "ciescope", "hqx", "histogram", "showcqt", "nlmeans", "elbg", "mandelbrot", "xbr", "lut2", "palette", "pseudocolor"]

    private static func few(_ number: Int) -> [(width: Int, height: Int)] {
        [(1 + number * 3 % 17, 1 + number * 7 % 17), (17, 2), (16, 16), (2 + number % 3, 3 + number % 5)]
    }

    static func encoder(_ name: String) -> [Case] {
        let capability = Capabilities.encoder(named: name)
        let taken = capability?.formats ?? formats
        let chosen = taken.filter { PixelFormat.layoutNames.contains($0) || $0 == "pal8" }
        // Libraries of their own take their time to open.
        let isSlow = name.hasPrefix("lib") || name.hasPrefix("a64")
        return chosen.prefix(isSlow ? 2 : mostFormats).flatMap { format in
            (sizesOfTheirOwn[name] ?? (isSlow ? sizes.enumerated().filter { $0.offset % 5 == 0 }.map(\.element) : sizes)).map { width, height in
                Case(name: "\(width)x\(height) \(format)") {
                    try encode(
                        .init(
                            frameRate: Rational(25, 1)!, width: width, height: height, format: format == "pal8" ? "rgb8" : format, encoder: name,
                            encoderFormat: format), frames: 4)
                }
            }
        }
    }

    /// Of encoders that take no others.
    private static let sizesOfTheirOwn: [String: [(width: Int, height: Int)]] = [
        "avui": [(720, 486), (720, 576)], "dvvideo": [(720, 576)], "h261": [(176, 144), (352, 288)], "h263": [(128, 96), (176, 144)],
        "libopenjpeg": [(32, 32), (33, 47)], "vc2": [(64, 48), (97, 51)], "xface": [(48, 48)],
    ]

    /// Whether nothing is converted before the first filter.
    private static func takes(_ format: String, _ description: String) -> Bool {
        guard let format = PixelFormat(name: format),
            let graph = try? FilterGraph(
                .video(format: format, width: 64, height: 64, frameRate: Fraction(25, 1)), description: description, stages: [])
        else { return false }
        let scales = (try? FilterDescription(description).uses.count { $0.filter == "scale" }) ?? 0
        return graph.links.count { $0.filter == "scale" } <= scales
    }

    private static func encode(_ config: VideoStreamConfig, frames: Int) throws -> String {
        try StreamWriter.encode([.video(config)], format: "framemd5") { writer in
            let bytes = writer.description(of: 0).inputFrameBytes
            var noise = Noise(bytes)
            for _ in 0..<frames { try writer.send(noise.bytes(bytes)) }
        }
    }
}

extension String {
    /// Of the placeholders that stand for the picture's size.
    fileprivate func sized(_ width: Int, _ height: Int) -> String {
        split(separator: "{size}", omittingEmptySubsequences: false).joined(separator: "\(width)x\(height)")
    }
}
