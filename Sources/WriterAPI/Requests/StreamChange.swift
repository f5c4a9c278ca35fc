import StreamWriter
import WriterModel

/// What `PATCH …/streams/{index}` changes of a stream whose encoder runs: its bit rate.
package struct StreamChange {
    package let rate: BitRateChange

    package init(_ json: JSONValue) throws(Problem) {
        var fields = try FieldReader(json)
        let option = try fields.map("encoder_option") ?? [:]
        var config = try FieldReader(fields.value("codec_config") ?? .object([:]), at: "/codec_config", .codecConfig)
        let bitRate = try config.count("bit_rate")
        if bitRate == nil { config.lacks("bit_rate", "is needed: bits per second") }
        try config.finish()
        try fields.finish()
        rate = BitRateChange(bitRate: bitRate ?? 0, encoderOption: option)
    }
}
