import APICore
import StreamWriter
import WriterModel

/// What FFmpeg's libraries, as they are installed, are.
public enum LibavVersions {
    static var members: JSONObject {
        let features = Capabilities.features
        return [
            "ffmpeg": .string(Capabilities.ffmpegVersion),
            "libraries": .map(Capabilities.libraryVersions),
            "features": [
                "hybrid_fragmented": .bool(features.hasHybridFragments),
                "flv_codecs": .array(features.flvCodecs.map { .string($0) }),
            ],
        ]
    }

    /// As JSON, on one line: for `penstock check`, which links no libav.
    public static var line: String { JSONValue.object(members).description }
}
