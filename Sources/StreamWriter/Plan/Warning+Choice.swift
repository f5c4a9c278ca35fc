import Bytewise
import Libav

// What the formats of an encoder change of what is sent.
extension Warning {
    /// `best` is the encoder's format that loses least.
    static func pictures(_ source: PixelFormat, as target: PixelFormat, best: PixelFormat, by encoder: String) -> [Warning] {
        let avoidable = Set(losses(of: source, as: best).map(\.code))
        return losses(of: source, as: target).map { code, sentence in
            if avoidable.contains(code) { return Warning(code, parameter: "encoder", "\(sentence); \(encoder) has no format that keeps them") }
            return Warning(code, parameter: "encoder_format", "\(sentence); encoder_format \(best.name) keeps them")
        }
    }

    /// Whether the one can be made of the other and back.
    static func losesNothing(_ source: PixelFormat, as target: PixelFormat) -> Bool { losses(of: source, as: target).isEmpty }

    private static func losses(of source: PixelFormat, as target: PixelFormat) -> [(code: Code, sentence: String)] {
        guard source != target else { return [] }
        var losses: [(Code, String)] = []
        let (from, to) = (source.depths.upperBound, target.depths.lowerBound)
        if from > to { losses.append((.depthReduced, "\(target.name) has \(to) of the \(from) bits of a component of \(source.name)")) }
        if source.hasAlpha && !target.hasAlpha { losses.append((.alphaDropped, "\(target.name) has not the transparent parts of \(source.name)")) }
        if source.colorModel != .gray && target.colorModel == .gray { losses.append((.colorDropped, "\(target.name) has not the colors of \(source.name)")) }
        if isRounded(source, target) { losses.append((.colorConverted, "\(target.name) has the colors of \(source.name) as other numbers, which are rounded")) }
        if source.colorModel != .gray, target.hasCoarserChroma(than: source) {
            let (block, other) = (target.chromaBlock, source.chromaBlock)
            let isTurned = target.pixelsOfChroma == source.pixelsOfChroma
            let (own, its) = isTurned ? ("\(block.width)x\(block.height)", "\(other.width)x\(other.height)") : ("\(target.pixelsOfChroma)", "\(source.pixelsOfChroma)")
            losses.append((.chromaSubsampled, "\(target.name) has one sample of color for each \(own) pixels, and \(source.name) for each \(its)"))
        }
        return losses
    }

    /// RGB to YUV or back, another range, or color at more places, between which it is interpolated.
    private static func isRounded(_ source: PixelFormat, _ target: PixelFormat) -> Bool {
        switch (source.colorModel, target.colorModel) {
        case (.rgb, .yuv), (.yuv, .rgb): true
        case (.gray, .yuv): !target.isFullRangeYUV
        // libav's scaler takes transparent pixels apart by way of YUV, and those of bgra64 into any others.
        case (.rgb, .rgb):
            source.isXYZ != target.isXYZ || source.name.begins(with: "bgra64") && !target.name.begins(with: "bgra64")
                || source.hasAlpha && target.hasAlpha && !source.isPlanar && target.isPlanar
        case (.yuv, .yuv): source.isFullRangeYUV != target.isFullRangeYUV || source.hasCoarserChroma(than: target)
        default: false
        }
    }

    /// Of a lossless encoder that stores so many bits of each sample, or of a float's fraction.
    /// `keeper` is an encoder that stores them as they are.
    static func samples(_ source: AudioFormat, storedAs bits: Int, isFloat: Bool, by encoder: String, _ keeper: String?) -> [Warning] {
        let way = keeper.map { "; encoder \($0) keeps them" } ?? ""
        if source.isFloat && !isFloat {
            return [Warning(.depthReduced, parameter: "encoder", "\(encoder) stores \(source.name) as whole numbers of \(bits) bits\(way)")]
        }
        guard source.bits > bits else { return [] }
        return [Warning(.depthReduced, parameter: "encoder", "\(encoder) stores \(bits) of the \(source.bits) bits of a sample of \(source.name)\(way)")]
    }
}
