import Bytewise
internal import CLibav

extension PixelFormat {
    /// The one of `candidates` that loses least of `source`, by libav's ranking, which FFmpeg's command line uses.
    /// Those that libav can't convert to are left out.
    package static func best(of candidates: [PixelFormat], for source: PixelFormat) -> PixelFormat? {
        let possible = candidates.filter { $0 == source || sws_isSupportedOutput($0.id) > 0 }
        guard let first = possible.first else { return candidates.first }
        let hasAlpha: Int32 = source.hasAlpha ? 1 : 0
        return possible.dropFirst().reduce(first) { best, next in
            PixelFormat(av_find_best_pix_fmt_of_2(best.id, next.id, source.id, hasAlpha, nil))
        }
    }

    package enum ColorModel: Sendable { case rgb, yuv, gray }

    package var colorModel: ColorModel {
        if hasPalette || has(UInt64(AV_PIX_FMT_FLAG_RGB)) || isXYZ { return .rgb }
        return componentCount < 3 ? .gray : .yuv
    }

    package var isXYZ: Bool { name.begins(with: "xyz") }

    /// Whether libav's scaler makes the one of the other.
    package func canBecome(_ other: PixelFormat) -> Bool { sws_isSupportedInput(id) > 0 && sws_isSupportedOutput(other.id) > 0 }

    /// YUV whose name says that its numbers use the full range.
    package var isFullRangeYUV: Bool { name.begins(with: "yuvj") }

    package var hasAlpha: Bool { has(UInt64(AV_PIX_FMT_FLAG_ALPHA)) }

    /// Bits of the component that has the most, and of the one that has the fewest.
    package var depths: ClosedRange<Int> {
        guard let components = components, let most = components.max(), let least = components.min() else { return 8...8 }
        return least...most
    }

    /// Pixels that share a sample of color.
    package var pixelsOfChroma: Int { chromaBlock.width * chromaBlock.height }

    /// What they lie in.
    package var chromaBlock: (width: Int, height: Int) {
        guard colorModel == .yuv, let descriptor = av_pix_fmt_desc_get(id)?.pointee else { return (1, 1) }
        return (1 << Int(descriptor.log2_chroma_w), 1 << Int(descriptor.log2_chroma_h))
    }

    /// Whether there are fewer samples of color than in another format, from left to right or from above to below.
    package func hasCoarserChroma(than other: PixelFormat) -> Bool {
        chromaBlock.width > other.chromaBlock.width || chromaBlock.height > other.chromaBlock.height
    }

    private var components: [Int]? {
        guard let descriptor = av_pix_fmt_desc_get(id)?.pointee else { return nil }
        let all = [descriptor.comp.0, descriptor.comp.1, descriptor.comp.2, descriptor.comp.3]
        return all.prefix(Int(descriptor.nb_components)).map { Int($0.depth) }
    }

    private func has(_ flag: UInt64) -> Bool { av_pix_fmt_desc_get(id).map { $0.pointee.flags & flag != 0 } ?? false }
}
