import Bytewise
import Libav

// What packets say themselves, as libav's encoders write and its decoders read it. `StoredTests` asks ffprobe.
extension Codec {
    private static let intraPictures: Set<String> = ["amv", "ljpeg", "mjpeg"]

    /// Of colors.
    var toldColors: Set<ColorDescription.Property> {
        switch codecName {
        case "h264", "hevc", "av1": Set(ColorDescription.Property.allCases)
        case "mpeg2video", "prores": [.primaries, .transfer, .matrix]
        case "vp9": [.matrix, .range]
        case "apng", "dirac", "dnxhd", "png": [.range]
        case _ where Self.intraPictures.contains(codecName): [.range]
        default: []
        }
    }

    /// What colors are taken for, whatever else is said of them.
    func fixedColor(_ property: ColorDescription.Property) -> String? {
        switch (codecName, property) {
        case ("mpeg1video", .range), ("mpeg2video", .range), ("prores", .range), ("webp", .range): "tv"
        case ("roq", .range): "pc"
        case ("dirac", .primaries), ("dirac", .transfer), ("dirac", .matrix): "bt709"
        case ("jpegls", .matrix), ("speedhq", .matrix), ("utvideo", .matrix), ("webp", .matrix): "bt470bg"
        case (_, .matrix) where Self.intraPictures.contains(codecName): "bt470bg"
        default: nil
        }
    }

    /// What its pictures are taken for where nothing is said of them.
    var usualMatrix: String { ["dirac", "dnxhd"].contains(codecName) ? "bt709" : ColorPlan.usualMatrix }

    /// Which field is the first one.
    var tellsFieldOrder: Bool {
        ["dnxhd", "dvvideo", "h264", "mpeg2video", "mpeg4", "prores"].contains(codecName) && name != "libxvid"
    }

    /// Whether they hold a pixel's shape, to within a hundredth; of so many pixels.
    func tells(_ ratio: Fraction, width: Int, height: Int) -> Bool {
        switch codecName {
        case "apng", "dirac", "gif", "h264", "hevc", "mjpeg", "mpeg4", "theora": true
        case "mpeg2video":
            // It knows squares, and three shapes of the picture.
            Self.holds([1] + Self.picturesInMPEG2.map { $0 * Double(height) / Double(width) }, ratio)
        case "mpeg1video": Self.holds(Self.pixelsInMPEG1.map { 1 / $0 }, ratio)
        case "h263": Self.holds(Self.pixelsInH263, ratio)
        default: false
        }
    }

    /// Its pixels are not taken for squares where nothing is said of them.
    var hasOtherPixels: Bool { ["dvvideo", "h263"].contains(codecName) }

    private static func holds(_ known: [Double], _ ratio: Fraction) -> Bool {
        known.contains { abs($0 / ratio.doubleValue - 1) < 0.01 }
    }

    private static let picturesInMPEG2 = [4.0 / 3, 16.0 / 9, 2.21]
    /// Height to width.
    private static let pixelsInMPEG1 = [
        1, 0.6735, 0.7031, 0.7615, 0.8055, 0.8437, 0.8935, 0.9157, 0.9815, 1.0255, 1.0695, 1.0950, 1.1575, 1.2015,
    ]
    private static let pixelsInH263 = [12.0 / 11, 10.0 / 11, 16.0 / 11, 40.0 / 33]

    /// What libraries write of the screen that pictures were mastered on (`EncoderSettings.apply`).
    var tellsMasteringMetadata: Bool { ["libsvtav1", "libx264", "libx265"].contains(name) }

    /// The layout that readers find in place of this one: nil where they find none. Of codecs that say it themselves.
    func toldLayout(for layout: ChannelLayout, in format: OutputFormat) -> ToldLayout {
        switch codecName {
        case "aac": .found(Self.layoutsOfAAC.contains(layout.name) ? layout.name : nil)
        case "ac3", "eac3": .found(Self.withoutBacks[layout.name] ?? layout.name)
        case "flac" where format.storedLayouts == .withoutBacks: .leftToContainer
        case "flac": .found(format.storesFLACsHead && layout.channels > 2 ? layout.name : Self.byNumber(Self.layoutsOfFLAC, layout))
        case "vorbis", "opus": .found(Self.byNumber(Self.layoutsOfVorbis, layout))
        case "tta": .found(Self.layoutsOfTTA[layout.channels])
        case "wavpack": .found(layout.channels > 2 ? layout.name : Self.byNumber([], layout))
        // They take no other layouts than those they can tell.
        case _ where !channelLayouts.isEmpty: .found(layout.name)
        default: .leftToContainer
        }
    }

    enum ToldLayout { case found(String?), leftToContainer }

    /// Those with channels at the back that are taken for channels at the sides.
    static let withoutBacks = ["quad": "quad(side)", "5.0": "5.0(side)", "5.1": "5.1(side)"]

    /// Core Audio's name for 7.1 has the sides before the backs, which libav does not turn round.
    static let inAnotherOrder = ["7.1": "7.1 with side and back exchanged"]

    private static let layoutsOfAAC: Set<String> = ["mono", "stereo", "2.1", "3.0", "4.0", "quad", "quad(side)", "5.0", "5.1", "7.1"]
    private static let layoutsOfFLAC = ["3.0", "quad", "5.0(side)", "5.1(side)", "6.1", "7.1"]
    private static let layoutsOfVorbis = ["3.0", "quad", "5.0", "5.1", "6.1", "7.1"]
    private static let layoutsOfTTA = [2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 7: "6.1(back)", 8: "7.1(wide-side)"]

    /// `names` are those of three channels and more.
    private static func byNumber(_ names: [String], _ layout: ChannelLayout) -> String? {
        let all = ["mono", "stereo"] + names
        return layout.channels <= all.count ? all[layout.channels - 1] : nil
    }
}
