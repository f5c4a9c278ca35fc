import Bytewise
import StreamWriter
import WriterModel

/// What to do with a NumPy array that is not as its stream takes them: in NumPy's words, so that neither loudness nor
/// picture changes.
enum ArrayAdvice {
    /// NumPy's type string taken apart: "<f4".
    private struct Numbers {
        let kind: Character
        let bytes: Int

        init?(_ dtype: String) {
            let text = Array(dtype)
            guard text.count == 3, let bytes = text[2].wholeNumberValue else { return nil }
            (kind, self.bytes) = (text[1], bytes)
        }

        var bits: Int { bytes * 8 }
    }

    // MARK: Numbers

    static func conversion(of dtype: String, to wanted: String, _ config: StreamConfig) -> String {
        guard let from = Numbers(dtype), let to = Numbers(wanted) else { return plain(wanted) }
        // Another order of bytes alone.
        if from.kind == to.kind, from.bytes == to.bytes { return plain(wanted) }
        return switch config {
        case .audio(let audio): samples(from, to, wanted, audio)
        case .video(let video): pictures(from, to, wanted, video)
        }
    }

    private static func plain(_ wanted: String) -> String { "Send array.astype(\"\(wanted)\")." }

    private static func samples(_ from: Numbers, _ to: Numbers, _ wanted: String, _ audio: AudioStreamConfig) -> String {
        let other = SampleFormat.allCases.first { ArrayLayout.dtype($0).ends(with: "\(from.kind)\(from.bytes)") }
        let way = other.map { " Or add the stream with \"format\": \"\($0.rawValue)\", which takes the array as it is." } ?? ""
        return "Send \(samples(from, to, wanted)).\(way)"
    }

    /// Full scale stays full scale.
    private static func samples(_ from: Numbers, _ to: Numbers, _ wanted: String) -> String {
        switch (from.kind, to.kind) {
        case ("f", "f"): return "array.astype(\"\(wanted)\")"
        case ("f", "i"): return "(array.clip(-1, 1) * \(to.bits < 64 ? "\((1 << (to.bits - 1)) - 1)" : "(2.0**63 - 1024)")).round().astype(\"\(wanted)\")"
        case ("f", "u"): return "(array.clip(-1, 1) * 127 + 128).round().astype(\"\(wanted)\")"
        case ("i", "f"): return "(array / 2.0**\(from.bits - 1)).astype(\"\(wanted)\")"
        case ("u", "f") where from.bytes == 1: return "((array.astype(\"f4\") - 128) / 128).astype(\"\(wanted)\")"
        case ("i", "i"):
            return from.bits > to.bits ? "(array >> \(from.bits - to.bits)).astype(\"\(wanted)\")" : "array.astype(\"\(wanted)\") << \(to.bits - from.bits)"
        case ("u", "i") where from.bytes == 1: return "(array.astype(\"\(wanted)\") - 128) << \(to.bits - 8)"
        case ("i", "u"): return "((array >> \(from.bits - 8)) + 128).astype(\"\(wanted)\")"
        default: return "array.astype(\"\(wanted)\")"
        }
    }

    private static func pictures(_ from: Numbers, _ to: Numbers, _ wanted: String, _ video: VideoStreamConfig) -> String {
        let most = (1 << min(32, ArrayLayout.bits(of: video.format) ?? to.bits)) - 1
        switch (from.kind, to.kind) {
        case ("f", "u"):
            let type = to.bytes == 1 ? "uint8" : wanted
            let tensors = to.bytes == 1 ? " Or add the stream with \"format\": \"rgbf32\" and \"layout\": \"nchw\", which takes float32 from 0 to 1." : ""
            return "Of values from 0 to 1, send (array.clip(0, 1) * \(most)).round().astype(\"\(type)\").\(tensors)"
        case ("u", "f"): return "Send (array / \((1 << from.bits) - 1)).astype(\"\(wanted)\"): the stream takes values from 0 to 1."
        case ("u", "u") where from.bits > to.bits: return "Of values that use all of their \(from.bits) bits, send (array >> \(from.bits - to.bits)).astype(\"\(wanted)\")."
        case ("b", "u"): return "Of false and true as black and white, send array.astype(\"\(to.bytes == 1 ? "u1" : wanted)\") * \(most)."
        case ("i", "u"): return "Of values from 0 to \(most), send array.astype(\"\(wanted)\")."
        default: return plain(wanted)
        }
    }

    // MARK: Shapes

    /// A sentence behind a space; empty where there is none to say.
    static func reshaping(_ shape: [Int], to frames: [[Int]], _ config: StreamConfig) -> String {
        if shape.count > 0, frames.contains(shape), shape.count > 1 || isVideo(config) {
            return " It is one frame: send array[None]."
        }
        guard let way = way(shape, to: frames, config) else { return "" }
        return " \(way)."
    }

    private static func way(_ shape: [Int], to frames: [[Int]], _ config: StreamConfig) -> String? {
        switch config {
        case .audio(let audio):
            let channels = audio.numChannels
            if shape.count == 2, shape[0] == channels { return "It has its channels first: send numpy.ascontiguousarray(array.T)" }
            if shape.count == 1, channels > 1 { return "If its channels are interleaved, send array.reshape(-1, \(channels))" }
            if shape.count == 3, shape[0] == 1 { return "It is a batch of one: send array[0], with the channels last" }
            return nil
        case .video: return pictureWay(shape, to: frames)
        }
    }

    private static func pictureWay(_ shape: [Int], to frames: [[Int]]) -> String? {
        for frame in frames where frame.count == 3 {
            let isPlanar = frame[0] < frame[2]
            let other = isPlanar ? [frame[1], frame[2], frame[0]] : [frame[2], frame[0], frame[1]]
            let order = isPlanar ? "0, 3, 1, 2" : "0, 2, 3, 1"
            let hint = isPlanar ? "" : ", or add the stream with \"layout\": \"nchw\""
            if Array(shape.dropFirst()) == other { return "Send numpy.ascontiguousarray(array.transpose(\(order)))\(hint)" }
            if shape == other { return "It is one frame: send numpy.ascontiguousarray(array[None].transpose(\(order)))\(hint)" }
        }
        return nil
    }

    private static func isVideo(_ config: StreamConfig) -> Bool { if case .video = config { true } else { false } }
}
