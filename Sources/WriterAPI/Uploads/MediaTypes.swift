import Bytewise
import StreamWriter

/// What the files of an upload are, by their names: players want to be told, and a muxer of many writes several kinds.
enum MediaTypes {
    private static let byExtension = [
        "m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml", "ts": "video/mp2t", "m4s": "video/iso.segment",
        "cmfv": "video/mp4", "cmfa": "audio/mp4", "vtt": "text/vtt", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png",
        "webp": "image/webp", "avif": "image/avif", "m4a": "audio/mp4", "mp4": "video/mp4", "key": "application/octet-stream",
    ]

    /// nil: it is not known.
    static func type(of name: String, muxer: String) -> String? {
        let file = name.until("?", "#")
        let known = (file.cutAtLast("/")?.after ?? file).cutAtLast(".").flatMap { byExtension[$0.after.lowercasedASCII] }
        return known ?? Capabilities.muxer(named: muxer)?.mimeType
    }
}
