import Libav
import StreamWriter

/// Pictures of the sizes 1 to 17 in both directions, in formats of every kind.
enum VideoCases {
    /// Each width and each height once: 5 and 17 have no divisor in common.
    private static let covering = (1...17).map { (width: $0, height: 1 + $0 * 5 % 17) }

    /// Those, squares, and lines of one, two and three pixels, where filters that look at neighbors have none.
    static let sizes: [(width: Int, height: Int)] =
        covering + [1, 2, 3, 4, 8, 16, 17].map { ($0, $0) } + [1, 2, 3].flatMap { [($0, 17), (17, $0), ($0, 16), (16, $0)] }

    /// Every fourth of them: four numbers after one another give them all.
    private static func quarter(_ number: Int) -> [(width: Int, height: Int)] {
        sizes.enumerated().filter { $0.offset % 4 == number % 4 }.map(\.element)
    }

    /// The first of each kind of layout that a filter takes as it is are tried, and the first two of the rest.
    private static let formats = [
        "yuv420p", "rgb24", "gray", "yuv444p10le", "bgra", "nv12", "yuv410p", "rgb48le", "monow", "gbrp", "yuva420p", "yuv411p",
        "gray16le", "gbrpf32le", "yuv440p", "ya8", "yuyv422", "yuv422p", "gbrap", "p010le", "rgb565le", "grayf32le", "gray10le",
        "monob", "yuv422p10le", "yuv420p10le", "yuv444p", "uyvy422", "rgba64le", "gbrp10le", "yuvj420p", "bgr0", "rgb8", "bgr4_byte",
    ]
    private static let mostFormats = 4

    /// The plain one at all sizes in its first format, and at all again in the others together; a choice or a
    /// switch at some.
    static func filter(_ descriptions: [(label: String, text: String)]) -> [Case] {
        let formats = formats(for: descriptions[0].text)
        return descriptions.enumerated().flatMap { index, description in
            formats.prefix(index == 0 ? formats.count : 1).enumerated().flatMap { place, format in
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

    private static func formats(for description: String) -> [String] {
        // A picture that no filter finds too small.
        let native = formats.filter { takes($0, description.sized(64, 64)) }
        let others = formats.filter { !native.contains($0) }.prefix(native.isEmpty ? 2 : 1)
        return Array(native.prefix(mostFormats) + others)
    }

    private static func sizes(of description: String, isPlain: Bool, _ number: Int) -> [(width: Int, height: Int)] {
        // What a source gives has no other size than its own.
        if description.hasPrefix("[in]nullsink") && !description.contains("{size}") { return [(16, 16)] }
        if let own = sizesOfFilters.first(where: { description.contains($0.filter) }) { return own.sizes }
        if slow.contains(where: { description.contains($0) }) { return isPlain ? few(number) : [(16, 16)] }
        if isPlain { return number == 0 ? sizes : quarter(number) }
        return [few(number)[0], few(number)[1 + number % 3]]
    }

    /// They look for fonts, fill tables of millions of entries, or draw large pictures, each time they are made.
    private static let slow = ["avgblur", "drawtext", "ciescope", "hqx", "histogram", "showcqt", "nlmeans", "elbg", "mandelbrot", "xbr", "lut", "palette", "pseudocolor"]

    private static func few(_ number: Int) -> [(width: Int, height: Int)] {
        [(1 + number * 3 % 17, 1 + number * 7 % 17), (17, 2), (16, 16), (2 + number % 3, 3 + number % 5)]
    }

    static func encoder(_ name: String) -> [Case] {
        let capability = Capabilities.encoder(named: name)
        let taken = capability?.formats ?? formats
        let chosen = taken.filter { PixelFormat.layoutNames.contains($0) || $0 == "pal8" }
        let isSlow = isSlow(name)
        return chosen.prefix(isSlow ? 2 : mostFormats).enumerated().flatMap { place, format in
            (sizesOfTheirOwn[name] ?? (isSlow ? few(place) : place == 0 ? sizes : quarter(place))).map { width, height in
                Case(name: "\(width)x\(height) \(format)") {
                    try encode(
                        .init(
                            frameRate: Rational(25, 1)!, width: width, height: height, format: format == "pal8" ? "rgb8" : format, encoder: name,
                            encoderOption: options[name] ?? [:], encoderFormat: format), frames: 4)
                }
            }
        }
    }

    /// Encoders that take their time to open: libraries of their own, and one that first looks for the best
    /// characters of four pictures.
    static func isSlow(_ name: String) -> Bool { name.hasPrefix("lib") || name.hasPrefix("a64") }

    /// Of filters that take none below.
    private static let sizesOfFilters: [(filter: String, sizes: [(width: Int, height: Int)])] = [
        ("pixscope", [(640, 480), (643, 481)]), ("signature", [(32, 32), (31, 32), (32, 31), (1, 1), (33, 47), (65, 33)]),
    ]

    /// Of encoders that take no others.
    static let sizesOfTheirOwn: [String: [(width: Int, height: Int)]] = [
        "avui": [(720, 486), (720, 576)], "cfhd": [(64, 64), (80, 72), (256, 48)], "dnxhd": [(256, 120), (263, 135)],
        "dvvideo": [(720, 576)], "h261": [(176, 144), (352, 288)], "h263": [(128, 96), (176, 144)], "libopenjpeg": [(32, 32), (33, 47)],
        "librav1e": [(16, 16), (17, 19), (33, 21), (64, 48)], "libsvtav1": [(64, 64), (66, 70), (98, 66)],
        "libx264": [(16, 16), (17, 17), (2, 2), (17, 2), (2, 17), (33, 9)], "libx265": [(32, 32), (34, 66), (67, 49), (64, 33)],
        "libxvid": [(16, 16), (18, 34), (33, 17), (8, 8)], "vc2": [(64, 48), (97, 51)], "xface": [(48, 48)],
    ]

    /// What an encoder is not opened without.
    static let options: [String: [String: String]] = ["dnxhd": ["profile": "dnxhr_sq"]]

    /// Whether nothing is converted before the first filter.
    private static func takes(_ format: String, _ description: String) -> Bool {
        guard let format = PixelFormat(name: format),
            let graph = try? FilterGraph(
                .video(VideoShape(format: format, width: 64, height: 64, frameRate: Fraction(25, 1))), description: description, stages: [])
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
