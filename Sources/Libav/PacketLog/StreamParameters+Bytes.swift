extension StreamParameters {
    private static let version: UInt8 = 1
    /// Seconds; what is moved by more would leave the range of times.
    private static let mostLead = 100_000.0

    /// As bytes for another process or a later one. Fails where packets are no bytes (wrapped_avframe).
    package var encoded: [UInt8] {
        get throws(PacketLogError) {
            var writer = FieldWriter()
            writer.put(Self.version)
            try codec.encode(into: &writer)
            writer.put(each: sideData) { writer, data in
                writer.put(data.type)
                writer.put(sized: data.bytes)
            }
            writer.put(timeBase)
            writer.put(lead)
            writer.put(frameRate ?? Fraction(0, 1))
            writer.put(sampleAspectRatio)
            writer.put(encoderName)
            writer.put(hasGlobalHeader)
            presentation.encode(into: &writer)
            return writer.bytes
        }
    }

    /// The bytes may be anything: whatever libav would not survive is refused.
    package convenience init(decoding bytes: [UInt8]) throws(PacketLogError) {
        var reader = FieldReader(bytes)
        let version: UInt8 = try reader.integer("the version")
        guard version == Self.version else { throw .version(version, known: Self.version, of: "a stream's parameters") }
        let codec = try CodecParameters(decoding: &reader)
        let sideData = try reader.each("pieces of side data", Self.sideData)
        let timeBase = try reader.positiveFraction("the time base")
        let lead: Int64 = try reader.integer("the time before the first frame")
        guard lead >= 0, Double(lead) * timeBase.doubleValue <= Self.mostLead else {
            throw .malformed("the time before the first frame is \(lead) ticks; it is not negative, and at most \(Int(Self.mostLead)) s")
        }
        let frameRate = try reader.fraction("the frame rate")
        let sampleAspectRatio = try reader.fraction("the pixels' aspect ratio")
        let encoderName = try reader.text("the encoder")
        let hasGlobalHeader = try reader.flag("whether headers are apart")
        let presentation = try StreamPresentation(decoding: &reader)
        try reader.end("a stream's parameters")
        self.init(
            codec: codec, sideData: sideData, timeBase: timeBase, lead: lead, frameRate: frameRate.isPositive ? frameRate : nil,
            sampleAspectRatio: sampleAspectRatio, presentation: presentation, encoderName: encoderName, hasGlobalHeader: hasGlobalHeader)
    }

    private static func sideData(_ reader: inout FieldReader) throws(PacketLogError) -> SideData {
        let type: UInt32 = try reader.integer("a type of side data")
        let bytes = try reader.sized("side data")
        if let refusal = SideData.refusal(type: type, bytes: bytes.count) { throw .malformed(refusal) }
        return SideData(type: type, bytes: Array(bytes))
    }
}

extension StreamPresentation {
    private static let degrees: ClosedRange<Int64> = -360_000...360_000
    private static let chromaticityCount = 8
    private static let pairCount = 2

    func encode(into writer: inout FieldWriter) {
        writer.put(each: metadata.sorted { $0.key < $1.key }) { writer, entry in
            writer.put(entry.key)
            writer.put(entry.value)
        }
        writer.put(each: disposition) { $0.put($1) }
        writer.put(Int64(rotation))
        writer.put(mastering != nil)
        guard let mastering else { return }
        for values in [mastering.chromaticities, mastering.luminance, mastering.lightLevel] {
            writer.put(each: values ?? []) { $0.put($1) }
        }
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        let entries = try reader.each("entries of metadata") { reader throws(PacketLogError) in
            (try reader.text("a key of metadata"), try reader.text("a value of metadata"))
        }
        self.init(metadata: Dictionary(entries) { _, last in last })
        disposition = try reader.each("dispositions") { reader throws(PacketLogError) in
            let name = try reader.text("a disposition")
            guard Self.dispositionNames.contains(name) else { throw .malformed("\(name) is no disposition") }
            return name
        }
        rotation = Int(try reader.integer("the rotation", in: Self.degrees))
        guard try reader.flag("whether there is mastering metadata") else { return }
        var mastering = MasteringMetadata()
        mastering.chromaticities = try Self.numbers(Self.chromaticityCount, "chromaticities", &reader)
        mastering.luminance = try Self.numbers(Self.pairCount, "luminances", &reader)
        mastering.lightLevel = try Self.numbers(Self.pairCount, "light levels", &reader)
        self.mastering = mastering
    }

    /// All or none.
    private static func numbers(_ count: Int, _ field: String, _ reader: inout FieldReader) throws(PacketLogError) -> [UInt32]? {
        let values = try reader.each(field) { reader throws(PacketLogError) in try reader.integer(field, as: UInt32.self) }
        guard values.isEmpty || values.count == count else { throw .malformed("there are \(values.count) \(field); there are \(count) or none") }
        return values.isEmpty ? nil : values
    }
}
