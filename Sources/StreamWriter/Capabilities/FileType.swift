import Bytewise

/// What a file is called and taken for: its media type and its name's extension.
public struct FileType: Sendable, Equatable {
    /// As IANA has registered it, or with the "x-" that players know; nil where there is none.
    public let mediaType: String?
    public let fileExtension: String?

    init(_ mediaType: String?, _ fileExtension: String?) {
        self.mediaType = mediaType
        self.fileExtension = fileExtension
    }
}

extension MuxerInfo {
    /// Of a file with these streams: libav's muxers call one of sound alone a video too. `name`: the file's, by
    /// which image2 knows what it writes.
    public func fileType(of streams: [StreamConfig], named fileName: String? = nil) -> FileType {
        let isSound = !streams.isEmpty && !streams.contains(where: \.isMovingPicture)
        if let type = Self.types[name] { return isSound ? type.sound : type.pictures }
        if name.isSame(as: "image2"), let ending = fileName?.cutAtLast(".")?.after.lowercasedASCII {
            return FileType(Self.pictureTypes[ending], ending)
        }
        return FileType(mimeType ?? Self.missingTypes[name], extensions.first)
    }

    private typealias Types = (sound: FileType, pictures: FileType)

    /// Where it matters which streams there are.
    private static let types: [String: Types] = [  // ASCII
        // RFC 4337.
        "mp4": (.init("audio/mp4", "m4a"), .init("video/mp4", "mp4")),
        "ipod": (.init("audio/mp4", "m4a"), .init("video/mp4", "m4v")),
        "psp": (.init("audio/mp4", "m4a"), .init("video/mp4", "mp4")),
        "ismv": (.init("audio/mp4", "isma"), .init("video/mp4", "ismv")),
        // RFC 3839 and RFC 4393.
        "3gp": (.init("audio/3gpp", "3gp"), .init("video/3gpp", "3gp")),
        "3g2": (.init("audio/3gpp2", "3g2"), .init("video/3gpp2", "3g2")),
        "matroska": (.init("audio/x-matroska", "mka"), .init("video/x-matroska", "mkv")),
        "webm": (.init("audio/webm", "webm"), .init("video/webm", "webm")),
        // RFC 5334.
        "ogg": (.init("audio/ogg", "ogg"), .init("video/ogg", "ogv")),
        "asf": (.init("audio/x-ms-wma", "wma"), .init("video/x-ms-asf", "asf")),
        "asf_stream": (.init("audio/x-ms-wma", "wma"), .init("video/x-ms-asf", "asf")),
        "rm": (.init("audio/vnd.rn-realaudio", "ra"), .init("application/vnd.rn-realmedia", "rm")),
    ]

    /// Those that libav's muxers do not name.
    private static let missingTypes = [  // ASCII
        "dv": "video/x-dv", "f4v": "video/mp4", "fits": "image/fits", "mov": "video/quicktime", "webp": "image/webp",
    ]

    private static let pictureTypes = [
        "avif": "image/avif", "bmp": "image/bmp", "exr": "image/x-exr", "jp2": "image/jp2", "jpeg": "image/jpeg", "jpg": "image/jpeg",
        "jxl": "image/jxl", "png": "image/png", "tga": "image/x-tga", "tif": "image/tiff", "tiff": "image/tiff",
    ]
}

extension StreamConfig {
    /// A cover is none.
    fileprivate var isMovingPicture: Bool {
        guard case .video(let video) = self else { return false }
        return !video.disposition.contains { $0.isSame(as: "attached_pic") }
    }
}
