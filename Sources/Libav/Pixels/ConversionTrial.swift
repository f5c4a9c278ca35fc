internal import CLibav
internal import CPixels

/// Finds out how libav's scaler rounds in a conversion, by pictures of noise that go through it and through CPixels.
struct ConversionTrial {
    let rule: cpixels_rule
    let colors: ConvertedColors

    /// Nil where what comes out is not the same whatever the rule, or the two frames don't say the same.
    init?(_ conversion: PixelConversion) {
        guard let samples = try? Self.sizes(conversion.shape).map({ size throws(LibavError) in try Sample(conversion, size) }) else { return nil }
        let rule = conversion.rules.first { rule in conversion.isMadeWrong || samples.allSatisfy { $0.isMade(by: rule, in: conversion) } }
        guard let rule else { return nil }
        self.rule = rule
        colors = ConvertedColors(of: samples[0].result)
    }

    /// Pictures as wide as the real ones, since code differs by how much is left of a row, and a few rows high; high ones
    /// where each row of chroma is computed with weights of its own. None is so small that two ways of rounding could look
    /// the same.
    private static func sizes(_ shape: VideoShape) -> [(width: Int, height: Int)] {
        let (width, height) = (shape.width, shape.height)
        let (narrow, low) = (least + width % 2, least / 4 + height % 2)
        var sizes = [(max(width, narrow), low)]
        if width < narrow || height < low { sizes.append((width, height)) }
        if height % 2 == 1 && height > low { sizes.append((narrow, height)) }
        return sizes
    }
    private static let least = 64

    /// A picture, and what the scaler makes of it.
    private struct Sample {
        let source: Frame
        let result: Frame
        let target: ImageLayout
        let colors: ConvertedColors

        init(_ conversion: PixelConversion, _ size: (width: Int, height: Int)) throws(LibavError) {
            var shape = conversion.shape
            (shape.width, shape.height) = size
            source = try FramePool(layout: ImageLayout(format: shape.format, width: size.width, height: size.height, packing: .aligned)).take()
            source.fillWithNoise()
            (source.pts, source.tag) = (7, 5)
            source.setDuration(3)
            let graph = try FilterGraph(.video(shape), description: nil, stages: conversion.stages(width: size.width, height: size.height))
            try graph.push(source)
            guard case .frame(let frame) = try graph.pull(), graph.timeBase == MediaFormat.video(shape).timeBase else {
                throw LibavError(code: clibav_error_invalid, doing: "trying a conversion")
            }
            result = frame
            target = try ImageLayout(format: conversion.target, width: size.width, height: size.height, packing: .aligned)
            colors = ConvertedColors(of: frame)
        }

        func isMade(by rule: cpixels_rule, in conversion: PixelConversion) -> Bool {
            guard let kernel = PixelKernel(conversion.plan(width: target.width, height: target.height, rule: rule)),
                let own = try? FramePool(layout: target).take(), (try? colors.describe(own, madeOf: source)) != nil
            else { return false }
            kernel.convert(source, into: own)
            return clibav_same_properties(own.pointer, result.pointer) != 0 && own.hasPixels(of: result, target)
        }
    }
}

extension Frame {
    /// All of its buffer, what lies between the rows as well. A third has only the highest and lowest values.
    fileprivate func fillWithNoise() {
        let buffer = pointer.pointee.buf.0!.pointee
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        buffer.data.withMemoryRebound(to: UInt64.self, capacity: buffer.size / 8) { words in
            for index in 0..<(buffer.size / 8) {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                let isExtreme = index & 0x180 == 0x180
                words[index] = isExtreme ? (state & 0x0101_0101_0101_0101) &* 0xff : state
            }
        }
    }

    fileprivate func hasPixels(of other: Frame, _ layout: ImageLayout) -> Bool {
        layout.planes.enumerated().allSatisfy { index, plane in
            (0..<plane.rows).allSatisfy { row in
                memcmp(self.plane(index)! + row * plane.stride, other.plane(index)! + row * Int(other.strides[index]), plane.rowBytes) == 0
            }
        }
    }
}
