internal import CLibav

/// Which sizes of pictures an encoder takes, where libav does not list them: what its source and its library refuse.
package struct PictureRule: Sendable {
    package struct Size: Sendable, Equatable {
        package let width: Int
        package let height: Int

        package init(_ width: Int, _ height: Int) {
            self.width = width
            self.height = height
        }

        package var name: String { "\(width)x\(height)" }
    }

    private var multiple = Size(1, 1)
    private var least = Size(1, 1)
    private var most = Size(Int(Int32.max), Int(Int32.max))
    /// These alone, when there are some.
    package private(set) var sizes: [Size] = []
    /// Those formats of pictures alone that these sizes come in.
    private var formats: [(size: Size, names: [String])] = []
    /// Another format of pictures would take any size.
    package private(set) var isOfFormat = false

    /// Empty where all are as good.
    package func formats(of size: Size) -> [String] { formats.first { $0.size == size }?.names ?? [] }

    /// The size that it takes and that is least far away.
    package func nearest(to size: Size) -> Size {
        func distance(_ other: Size) -> Int { abs(other.width - size.width) + abs(other.height - size.height) }
        if let nearest = sizes.min(by: { distance($0) < distance($1) }) { return nearest }
        func fit(_ value: Int, _ side: KeyPath<Size, Int>) -> Int {
            let part = multiple[keyPath: side]
            let bounded = min(max(value, least[keyPath: side]), most[keyPath: side])
            let above = (bounded + part - 1) / part * part
            return above > most[keyPath: side] ? bounded / part * part : above
        }
        return Size(fit(size.width, \.width), fit(size.height, \.height))
    }
}

extension Codec {
    /// Of pictures in this format. Nil where nothing is known.
    package func pictureRule(for shape: VideoShape, isInterlaced: Bool = false) -> PictureRule? {
        switch name {
        // Each field has whole samples of color.
        case "libx264" where isInterlaced: PictureRule(wholeChroma: shape.format, linesOfFields: 2)
        case "libx264", "libxvid", "huffyuv", "ffvhuff", "utvideo": PictureRule(wholeChroma: shape.format)
        case "libx265": PictureRule(wholeChroma: shape.format)?.from(.init(16, 16))
        case "libsvtav1": PictureRule(wholeChroma: shape.format)?.from(.init(64, 64))
        case "dvvideo": PictureRule.ofDV(at: shape.frameRate)
        default: PictureRule.rules[name]
        }
    }
}

extension PictureRule {
    private init(multipleOf multiple: Size) { self.multiple = multiple }
    private init(from least: Size) { self.least = least }
    private init(upTo most: Size) { self.most = most }
    fileprivate init(_ sizes: Size...) { self.sizes = sizes }

    fileprivate func from(_ least: Size) -> PictureRule {
        var rule = self
        rule.least = least
        return rule
    }

    private func upTo(_ most: Size) -> PictureRule {
        var rule = self
        rule.most = most
        return rule
    }

    /// IEC 61834 and SMPTE 314M and 370M: by the system, and the one of 50 and 60 pictures a second by either.
    fileprivate static func ofDV(at rate: Fraction) -> PictureRule {
        let is50 = [Fraction(25, 1), Fraction(50, 1)].contains(rate)
        let standard = is50 ? Size(720, 576) : Size(720, 480)
        let high = is50 ? Size(1440, 1080) : Size(1280, 1080)
        var rule = PictureRule()
        rule.sizes = [standard, Size(960, 720), high]
        rule.formats = [(standard, (is50 ? ["yuv420p"] : []) + ["yuv411p", "yuv422p"]), (Size(960, 720), ["yuv422p"]), (high, ["yuv422p"])]
        return rule
    }

    fileprivate init?(wholeChroma format: PixelFormat, linesOfFields: Int = 1) {
        guard let description = av_pix_fmt_desc_get(format.id)?.pointee else { return nil }
        multiple = Size(1 << Int(description.log2_chroma_w), linesOfFields << Int(description.log2_chroma_h))
        isOfFormat = multiple != Size(1, 1)
    }

    /// By encoder. `EncoderRefusalTests` has each of these opened with what it takes and what it does not.
    fileprivate static let rules: [String: PictureRule] = {
        let (even, byFour, bySixteen) = (Self(multipleOf: Size(2, 1)), Self(multipleOf: Size(4, 4)), Self(multipleOf: Size(16, 16)))
        return [
            "avui": Self(Size(720, 486), Size(720, 576)),
            "bitpacked": even, "prores": even, "prores_aw": even, "v210": even, "v308": even, "v410": even, "wmv1": even, "wmv2": even,
            "cfhd": Self(multipleOf: Size(16, 1)).from(Size(32, 32)),
            "cinepak": byFour, "hap": byFour, "msvideo1": byFour, "rv20": byFour,
            "flashsv": Self(upTo: Size(4095, 4095)), "flashsv2": Self(from: Size(16, 16)).upTo(Size(4095, 4095)),
            "h261": Self(Size(176, 144), Size(352, 288)),
            "h263": Self(Size(128, 96), Size(176, 144), Size(352, 288), Size(704, 576), Size(1408, 1152)),
            "h263p": byFour.upTo(Size(2048, 1152)),
            "librav1e": Self(from: Size(16, 16)),
            "libvpx": Self(upTo: Size(16_383, 16_383)),
            "mpeg1video": Self(upTo: Size(4095, 4095)), "mpeg2video": Self(upTo: Size(16_383, 16_383)), "mpeg4": Self(upTo: Size(8191, 8191)),
            "roqvideo": bySixteen, "rv10": bySixteen, "smc": Self(from: Size(1, 4)), "svq1": Self(upTo: Size(4095, 4095)),
            "vc2": Self(from: Size(32, 16)), "y41p": Self(multipleOf: Size(8, 1)),
        ]
    }()
}
