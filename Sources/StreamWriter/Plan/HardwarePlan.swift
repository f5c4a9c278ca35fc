import Bytewise
import Libav

/// The GPU a video stream is encoded on.
struct HardwarePlan {
    let device: HardwareDevice
    /// What frames are converted to before they are uploaded.
    let format: PixelFormat

    /// `description` is "cuda", "cuda:1" or "vaapi:/dev/dri/renderD128".
    init(
        _ description: String, _ codec: Codec, format name: String?, _ source: PixelFormat
    ) throws(StreamWriterError) {
        let parts = description.parts(at: ":", most: 2)
        guard let kind = HardwareDevice.Kind(rawValue: parts[0]) else {
            throw StreamWriterError(
                .unsupportedHardware, "hw_accel \(description) is not of a kind that is known",
                parameter: "hw_accel", supported: HardwareDevice.Kind.allCases.map(\.rawValue))
        }
        guard codec.pixelFormats.contains(kind.pixelFormat) else {
            throw StreamWriterError(
                .unsupportedHardware, "the encoder \(codec.name) takes no frames from \(kind.rawValue)",
                parameter: "hw_accel", supported: Self.encoders(for: kind))
        }
        let device = parts.count == 2 && !parts[1].isEmpty ? parts[1] : nil
        self.device = try translating(.unsupportedHardware, parameter: "hw_accel") { () throws(LibavError) in
            try HardwareDevice(kind, device: device)
        }
        format = try Self.format(name, self.device.softwareFormats, codec, source)
    }

    /// The settings of an encoder of such frames.
    func apply(to settings: inout EncoderSettings) throws(StreamWriterError) {
        guard case .video(var shape) = settings.input else { return }
        settings.hardwareFrames = try translating(.unsupportedHardware, parameter: "hw_accel") {
            () throws(LibavError) in
            try HardwareFrames(device: device, softwareFormat: format, width: shape.width, height: shape.height)
        }
        shape.format = device.kind.pixelFormat
        settings.input = .video(shape)
    }

    private static func format(
        _ name: String?, _ supported: [PixelFormat], _ codec: Codec, _ source: PixelFormat
    ) throws(StreamWriterError) -> PixelFormat {
        // Few GPUs encode H.264 of more than 8 bits.
        let isDeep = source.depths.upperBound > 8 && codec.codecName != "h264"
        let deep = PixelFormat(name: "p010le")!
        let usual = isDeep && supported.contains(deep) ? deep : PixelFormat(name: "nv12")!
        guard let name else {
            return supported.isEmpty || supported.contains(usual) ? usual : supported[0]
        }
        guard let format = PixelFormat(name: name), supported.isEmpty || supported.contains(format) else {
            throw unsupported("encoder_format", name, by: codec, supported.map(\.name))
        }
        return format
    }

    private static func encoders(for kind: HardwareDevice.Kind) -> [String] {
        Codec.names(of: .video).filter { Codec(named: $0)?.pixelFormats.contains(kind.pixelFormat) == true }
    }
}
