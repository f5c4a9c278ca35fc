internal import CLibav

/// A GPU that encodes.
package final class HardwareDevice: @unchecked Sendable {
    // Unchecked: AVBufferRef counts atomically, and the context is not changed after `init`.
    package enum Kind: String, Sendable, CaseIterable {
        case cuda, vaapi

        var type: AVHWDeviceType {
            switch self {
            case .cuda: AV_HWDEVICE_TYPE_CUDA
            case .vaapi: AV_HWDEVICE_TYPE_VAAPI
            }
        }

        /// The format of frames in its memory.
        package var pixelFormat: PixelFormat {
            switch self {
            case .cuda: PixelFormat(AV_PIX_FMT_CUDA)
            case .vaapi: PixelFormat(AV_PIX_FMT_VAAPI)
            }
        }
    }

    package let kind: Kind
    let reference: UnsafeMutablePointer<AVBufferRef>

    /// `device` is a number for CUDA, a path for VAAPI; nil is the first.
    package init(_ kind: Kind, device: String?) throws(LibavError) {
        let doing = "opening the \(kind.rawValue) device \(device ?? "")"
        var reference: UnsafeMutablePointer<AVBufferRef>?
        try check(av_hwdevice_ctx_create(&reference, kind.type, device, nil, 0), doing)
        self.reference = try allocated(reference, doing)
        self.kind = kind
    }

    deinit {
        var reference: UnsafeMutablePointer<AVBufferRef>? = reference
        av_buffer_unref(&reference)
    }

    /// Formats in main memory that frames can be uploaded from.
    package var softwareFormats: [PixelFormat] {
        var constraints = av_hwdevice_get_hwframe_constraints(reference, nil)
        defer { av_hwframe_constraints_free(&constraints) }
        guard var next = constraints?.pointee.valid_sw_formats else { return [] }
        var formats: [PixelFormat] = []
        while next.pointee != AV_PIX_FMT_NONE {
            formats.append(PixelFormat(next.pointee))
            next += 1
        }
        return formats
    }
}

/// Pictures of one size in a GPU's memory.
package final class HardwareFrames: @unchecked Sendable {
    // Unchecked: AVBufferRef counts atomically, and the contexts are not changed after `init`.
    package let softwareFormat: PixelFormat
    private let frames: UnsafeMutablePointer<AVBufferRef>

    /// Some drivers want to know at the start how many pictures there may be at once: an
    /// encoder's references, its lookahead, and what is on its way.
    private static let poolSize: Int32 = 32

    package init(
        device: HardwareDevice, softwareFormat: PixelFormat, width: Int, height: Int
    ) throws(LibavError) {
        let doing = "allocating \(softwareFormat.name) frames on the \(device.kind.rawValue) device"
        let reference = try allocated(av_hwframe_ctx_alloc(device.reference), doing)
        let context = UnsafeMutableRawPointer(reference.pointee.data)
            .assumingMemoryBound(to: AVHWFramesContext.self)
        context.pointee.format = device.kind.pixelFormat.id
        context.pointee.sw_format = softwareFormat.id
        context.pointee.width = Int32(width)
        context.pointee.height = Int32(height)
        context.pointee.initial_pool_size = device.kind == .vaapi ? Self.poolSize : 0
        let code = av_hwframe_ctx_init(reference)
        if code < 0 {
            var reference: UnsafeMutablePointer<AVBufferRef>? = reference
            av_buffer_unref(&reference)
        }
        try check(code, doing)
        frames = reference
        self.softwareFormat = softwareFormat
    }

    deinit {
        var frames: UnsafeMutablePointer<AVBufferRef>? = frames
        av_buffer_unref(&frames)
    }

    /// A copy of a picture in the GPU's memory.
    package func upload(_ frame: Frame) throws(LibavError) -> Frame {
        let uploaded = try Frame()
        try check(av_hwframe_get_buffer(frames, uploaded.pointer, 0), "allocating a frame on the GPU")
        try check(av_hwframe_transfer_data(uploaded.pointer, frame.pointer, 0), "uploading a frame")
        try check(av_frame_copy_props(uploaded.pointer, frame.pointer), "uploading a frame")
        return uploaded
    }

    func reference() -> UnsafeMutablePointer<AVBufferRef>? { av_buffer_ref(frames) }
}
