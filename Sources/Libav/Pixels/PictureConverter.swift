internal import CLibav
internal import CPixels

/// Does what a graph of one scaler does, where that only changes the format, in a fraction of its time: the same bits, in
/// frames that say the same. Whether they are the same is tried beforehand, with the libav and on the processor at hand.
/// One thread at a time.
package final class PictureConverter {
    private let kernel: PixelKernel
    private let pool: FramePool
    private let shape: VideoShape
    private let colors: ConvertedColors

    /// Nil where it is libav's scaler that has to do it.
    package init?(insteadOf stages: [FilterGraph.Stage], for input: MediaFormat) {
        // In plain C it takes longer.
        guard let conversion = PixelConversion(of: input, through: stages), cpixels_best() != cpixels_plain || conversion.isMadeWrong,
            let trial = ConversionTrial(conversion)
        else { return nil }
        shape = conversion.shape
        colors = trial.colors
        guard let kernel = PixelKernel(conversion.plan(width: shape.width, height: shape.height, rule: trial.rule)),
            let layout = try? ImageLayout(format: conversion.target, width: shape.width, height: shape.height, packing: .aligned),
            let pool = try? FramePool(layout: layout)
        else { return nil }
        self.kernel = kernel
        self.pool = pool
    }

    /// Whether it is such a frame as was tried.
    package func takes(_ frame: Frame) -> Bool { frame.fits(.video(shape)) && frame.saysNothingOfColors }

    package func convert(_ frame: Frame) throws(LibavError) -> Frame {
        let result = try pool.take()
        try colors.describe(result, madeOf: frame)
        kernel.convert(frame, into: result)
        return result
    }
}

/// What a scaler says of the pictures that it made, beside what it was told of their sources.
struct ConvertedColors {
    private let color: (AVColorRange, AVColorPrimaries, AVColorTransferCharacteristic, AVColorSpace, AVChromaLocation)

    init(of result: Frame) {
        let frame = result.pointer.pointee
        color = (frame.color_range, frame.color_primaries, frame.color_trc, frame.colorspace, frame.chroma_location)
    }

    func describe(_ result: Frame, madeOf source: Frame) throws(LibavError) {
        let frame = result.pointer
        try check(av_frame_copy_props(frame, source.pointer), "describing a frame")
        frame.pointee.color_range = color.0
        frame.pointee.color_primaries = color.1
        frame.pointee.color_trc = color.2
        frame.pointee.colorspace = color.3
        frame.pointee.chroma_location = color.4
    }
}

extension Frame {
    /// As frames of a pool: what others say may change what becomes of them.
    fileprivate var saysNothingOfColors: Bool {
        let frame = pointer.pointee
        return frame.color_range == AVCOL_RANGE_UNSPECIFIED && frame.color_primaries == AVCOL_PRI_UNSPECIFIED
            && frame.color_trc == AVCOL_TRC_UNSPECIFIED && frame.colorspace == AVCOL_SPC_UNSPECIFIED
            && frame.sample_aspect_ratio.num == 0 && clibav_field_order(pointer) == 0
    }
}
