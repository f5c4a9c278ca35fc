import Bytewise
internal import CLibav

/// The screen that a picture was mastered on, and how bright the picture gets.
package struct MasteringMetadata: Sendable, Equatable {
    /// Chromaticities in units of 0.00002: green, blue, red and white, x and y of each.
    package var chromaticities: [UInt32]?
    /// Of the screen in units of 0.0001 cd/m²: the most, then the least.
    package var luminance: [UInt32]?
    /// Of the picture in cd/m²: of its brightest pixel, then of its brightest frame on average.
    package var lightLevel: [UInt32]?

    package init() {}

    package var isEmpty: Bool { chromaticities == nil && lightLevel == nil }

    private static let chromaticityUnit: Int32 = 50_000
    private static let luminanceUnit: Int32 = 10_000

    func apply(to stream: UnsafeMutablePointer<AVStream>) throws(LibavError) {
        if let chromaticities, let luminance {
            let size = MemoryLayout<AVMasteringDisplayMetadata>.size
            let bytes = try allocated(
                clibav_new_stream_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, size), "describing a screen")
            bytes.withMemoryRebound(to: AVMasteringDisplayMetadata.self, capacity: 1) {
                Self.write(chromaticities, luminance, to: $0)
            }
        }
        if let lightLevel {
            let size = MemoryLayout<AVContentLightMetadata>.size
            let bytes = try allocated(
                clibav_new_stream_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, size), "describing brightness")
            bytes.withMemoryRebound(to: AVContentLightMetadata.self, capacity: 1) {
                $0.pointee = AVContentLightMetadata(MaxCLL: lightLevel[0], MaxFALL: lightLevel[1])
            }
        }
    }

    private static func write(
        _ chromaticities: [UInt32], _ luminance: [UInt32], to metadata: UnsafeMutablePointer<AVMasteringDisplayMetadata>
    ) {
        func chromaticity(_ index: Int) -> AVRational {
            AVRational(num: Int32(clamping: chromaticities[index]), den: chromaticityUnit)
        }
        func pair(_ index: Int) -> (AVRational, AVRational) { (chromaticity(index), chromaticity(index + 1)) }
        metadata.pointee = AVMasteringDisplayMetadata(
            // libav has red first.
            display_primaries: (pair(4), pair(0), pair(2)), white_point: pair(6),
            min_luminance: AVRational(num: Int32(clamping: luminance[1]), den: luminanceUnit),
            max_luminance: AVRational(num: Int32(clamping: luminance[0]), den: luminanceUnit),
            has_primaries: 1, has_luminance: 1)
    }
}
