internal import CLibav

/// Which of an interlaced picture's fields comes first: coded first, then shown first (`tb`: the top one is coded
/// first, the bottom one shown first).
package enum FieldOrder: String, Sendable, CaseIterable {
    case progressive, tt, bb, tb, bt

    var value: AVFieldOrder {
        switch self {
        case .progressive: AV_FIELD_PROGRESSIVE
        case .tt: AV_FIELD_TT
        case .bb: AV_FIELD_BB
        case .tb: AV_FIELD_TB
        case .bt: AV_FIELD_BT
        }
    }

    package var isInterlaced: Bool { self != .progressive }

    /// The top field has the first row, and is the earlier one.
    private var topIsFirst: Bool { self == .tt || self == .tb }

    /// What a frame says; FFmpeg's command line reads the same of it, Motion JPEG's apart.
    init(of frame: UnsafePointer<AVFrame>) {
        switch clibav_field_order(frame) {
        case 1: self = .tb
        case 2: self = .bt
        default: self = .progressive
        }
    }

    func apply(to frame: UnsafeMutablePointer<AVFrame>) {
        if isInterlaced { clibav_set_interlaced(frame, topIsFirst ? 1 : 0) }
    }

    /// Encoders that code fields when these flags say so. Others would refuse them or only change their headers.
    private static let fieldEncoders: [AVCodecID] = [
        AV_CODEC_ID_H264, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_PRORES, AV_CODEC_ID_DNXHD,
    ]

    func apply(to context: UnsafeMutablePointer<AVCodecContext>, of codec: Codec) {
        context.pointee.field_order = value
        guard isInterlaced, Self.fieldEncoders.contains(codec.pointer.pointee.id) else { return }
        context.pointee.flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME
    }
}
