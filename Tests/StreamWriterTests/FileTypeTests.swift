import StreamWriter
import Testing

/// What files are called and taken for, by the streams in them.
@Suite struct FileTypeTests {
    private static let sound = StreamConfig.audio(AudioStreamConfig(sampleRate: 48_000, numChannels: 2))
    private static let pictures = StreamConfig.video(VideoStreamConfig(frameRate: Rational(25, 1)!, width: 64, height: 48))
    private static let cover = StreamConfig.video(
        VideoStreamConfig(frameRate: Rational(1, 1)!, width: 64, height: 48, disposition: ["attached_pic"]))

    /// As the IANA has them, RFC 4337 (mp4), 3839 (3gp), 4393 (3g2), 5334 (ogg), or, with x-, Debian's mime.types.
    @Test(arguments: [
        ("mp4", "audio/mp4", "m4a", "video/mp4", "mp4"), ("ipod", "audio/mp4", "m4a", "video/mp4", "m4v"), ("3gp", "audio/3gpp", "3gp", "video/3gpp", "3gp"),
        ("3g2", "audio/3gpp2", "3g2", "video/3gpp2", "3g2"), ("mov", "video/quicktime", "mov", "video/quicktime", "mov"),
        ("matroska", "audio/x-matroska", "mka", "video/x-matroska", "mkv"), ("webm", "audio/webm", "webm", "video/webm", "webm"),
        ("ogg", "audio/ogg", "ogg", "video/ogg", "ogv"), ("opus", "audio/ogg", "opus", "audio/ogg", "opus"), ("asf", "audio/x-ms-wma", "wma", "video/x-ms-asf", "asf"),
        ("wav", "audio/x-wav", "wav", "audio/x-wav", "wav"), ("mp3", "audio/mpeg", "mp3", "audio/mpeg", "mp3"), ("mpegts", "video/MP2T", "ts", "video/MP2T", "ts"),
    ])
    func aFileOfSoundAloneIsNotCalledAVideo(format: String, mediaType: String, ending: String, ofPictures: String, endingOfPictures: String) throws {
        let muxer = try StreamWriter.resolveMuxer(format: format, name: "")
        for streams in [[Self.sound], [Self.sound, Self.sound], [Self.cover, Self.sound]] {
            let type = muxer.fileType(of: streams)
            #expect(type.mediaType == mediaType && type.fileExtension == ending)
        }
        for streams in [[Self.pictures], [Self.sound, Self.pictures]] {
            let type = muxer.fileType(of: streams)
            #expect(type.mediaType == ofPictures && type.fileExtension == endingOfPictures)
        }
    }

    @Test(arguments: [("a/b.png", "image/png"), ("b.JPG", "image/jpeg"), ("b.tif", "image/tiff"), ("b.webp", "image/webp"), ("b.avif", "image/avif"), ("b.gif", "image/gif")])
    func aPictureIsOne(name: String, mediaType: String) throws {
        let muxer = try StreamWriter.resolveMuxer(format: nil, name: name)
        #expect(muxer.fileType(of: [Self.pictures], named: name).mediaType == mediaType)
    }
}
