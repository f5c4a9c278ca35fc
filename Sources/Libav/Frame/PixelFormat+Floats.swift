internal import CLibav

extension PixelFormat {
    /// Gray of floats, which libav's scaler takes for the limited range unless it is told: its list of grays that are of
    /// the full one lacks them.
    package var isGrayOfFloats: Bool { isFloat && colorModel == .gray }

    /// Planes of 32-bit floats, as tensors have them.
    package var hasPlanesOfFloats: Bool { isFloat && componentBytes == 4 && (isPlanar || componentCount == 1) && colorModel != .yuv }
}

extension Frame {
    /// Of a picture whose scalers between a client's filters would take it for another range.
    func describeRange(_ format: PixelFormat) {
        if format.isGrayOfFloats { pointer.pointee.color_range = AVCOL_RANGE_JPEG }
    }
}
