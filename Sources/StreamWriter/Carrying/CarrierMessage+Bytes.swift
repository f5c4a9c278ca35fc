import Libav

extension FieldWriter {
    mutating func put(_ value: Double) { put(value.bitPattern) }

    mutating func put<T>(_ value: T?, _ put: (inout FieldWriter, T) -> Void) {
        self.put(value != nil)
        if let value { put(&self, value) }
    }

    mutating func put(_ value: Double?) { put(value) { $0.put($1 as Double) } }
    mutating func put(_ value: String?) { put(value) { $0.put($1 as String) } }

    mutating func put(_ map: [String: String]) {
        put(each: map.sorted { $0.key < $1.key }) { writer, entry in
            writer.put(entry.key)
            writer.put(entry.value)
        }
    }
}

extension FieldReader {
    mutating func double(_ field: String) throws(PacketLogError) -> Double { Double(bitPattern: try integer(field)) }

    mutating func optional<T>(
        _ field: String, _ read: (inout FieldReader) throws(PacketLogError) -> T
    ) throws(PacketLogError) -> T? {
        try flag("whether there is \(field)") ? try read(&self) : nil
    }

    mutating func optionalDouble(_ field: String) throws(PacketLogError) -> Double? {
        try optional(field) { (reader) throws(PacketLogError) in try reader.double(field) }
    }

    mutating func optionalText(_ field: String) throws(PacketLogError) -> String? {
        try optional(field) { (reader) throws(PacketLogError) in try reader.text(field) }
    }

    mutating func map(_ field: String) throws(PacketLogError) -> [String: String] {
        let entries = try each(field) { (reader) throws(PacketLogError) in (try reader.text(field), try reader.text(field)) }
        return Dictionary(entries) { $1 }
    }

    mutating func count(_ field: String) throws(PacketLogError) -> Int64 { try integer(field, in: 0...Int64.max) }
}

extension CarrierOrder {
    func encode(into writer: inout FieldWriter) {
        writer.put(name)
        writer.put(isDevice)
        writer.put(format)
        writer.put(Int64(bufferBytes))
        writer.put(metadata)
        writer.put(option)
        writer.put(timeout)
        writer.put(resumes)
        writer.put(files) { writer, files in
            writer.put(files.ledger)
            writer.put(Int64(files.mostNameBytes))
            writer.put(files.overwrites)
        }
        writer.put(uploadFields.contentType)
        writer.put(uploadFields.cacheControl)
        writer.put(uploadFields.storageClass)
        writer.put(uploadFields.objectMetadata)
        writer.put(output)
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        name = try reader.text("the destination")
        isDevice = try reader.flag("whether it is a device")
        format = try reader.text("the format")
        bufferBytes = Int(try reader.integer("buffer_size", in: Int64(Limits.bufferBytes.lowerBound)...Int64(Limits.bufferBytes.upperBound)))
        metadata = try reader.map("metadata")
        option = try reader.map("options")
        timeout = try reader.optionalDouble("a time for opening")
        resumes = try reader.flag("whether it goes on")
        files = try reader.optional("files") { (reader) throws(PacketLogError) in
            CarriedFiles(
                ledger: try reader.text("a ledger"), mostNameBytes: Int(try reader.integer("a bound", in: 0...Int64(Int32.max))),
                overwrites: try reader.flag("whether it overwrites"))
        }
        uploadFields.contentType = try reader.optionalText("content_type")
        uploadFields.cacheControl = try reader.optionalText("cache_control")
        uploadFields.storageClass = try reader.optionalText("storage_class")
        uploadFields.objectMetadata = try reader.map("object_metadata")
        output = try reader.text("the output's name")
    }
}

extension CarrierProgress {
    func encode(into writer: inout FieldWriter) {
        writer.put(bytesWritten)
        writer.put(heldBytes)
        writer.put(forcedUpTo)
        writer.put(secondsSending)
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        bytesWritten = try reader.count("the bytes written")
        heldBytes = try reader.count("the bytes held")
        forcedUpTo = try reader.optionalDouble("a time")
        secondsSending = try reader.count("a time")
    }
}

extension OpenedContainer {
    func encode(into writer: inout FieldWriter) {
        writer.put(each: times) { writer, times in
            writer.put(times.longestGap)
            writer.put(times.countsFromZero)
            writer.put(times.latest)
            writer.put(times.tick) { $0.put($1 as Fraction) }
        }
        writer.put(mostBytes) { $0.put($1 as Int64) }
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        times = try reader.each("streams") { (reader) throws(PacketLogError) in
            KnownFaults.Times(
                longestGap: try reader.optionalDouble("a gap"), countsFromZero: try reader.flag("where gaps count from"),
                latest: try reader.optionalDouble("a time"),
                tick: try reader.optional("a tick") { (reader) throws(PacketLogError) in try reader.positiveFraction("a tick") })
        }
        mostBytes = try reader.optional("a bound") { (reader) throws(PacketLogError) in try reader.count("a bound") }
    }
}

extension FinishedContainer {
    func encode(into writer: inout FieldWriter) {
        writer.put(each: written) { writer, tally in tally.encode(into: &writer) }
        writer.put(each: secondsLate) { writer, seconds in writer.put(seconds as Double) }
    }

    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        written = try reader.each("streams") { (reader) throws(PacketLogError) in try PacketTally(decoding: &reader) }
        secondsLate = try reader.each("streams") { (reader) throws(PacketLogError) in try reader.double("a delay") }
    }
}

extension StreamWriterError {
    func encode(into writer: inout FieldWriter) {
        writer.put(code.rawValue)
        writer.put(message)
        writer.put(parameter)
        writer.put(supported) { writer, values in writer.put(each: values) { $0.put($1 as String) } }
        writer.put(suggestion)
        writer.put(libavError)
        writer.put(each: log) { $0.put($1 as String) }
    }

    /// Of an output's: what only streams' errors have is not told.
    init(decoding reader: inout FieldReader) throws(PacketLogError) {
        let name = try reader.text("the code")
        guard let code = Code(rawValue: name) else { throw PacketLogError(.malformed, "\(name) is no code of an error") }
        self.init(code, try reader.text("the message"))
        parameter = try reader.optionalText("a parameter")
        supported = try reader.optional("values") { (reader) throws(PacketLogError) in
            try reader.each("values") { (reader) throws(PacketLogError) in try reader.text("a value") }
        }
        suggestion = try reader.optionalText("a suggestion")
        libavError = try reader.optionalText("libav's text")
        log = try reader.each("lines") { (reader) throws(PacketLogError) in try reader.text("a line") }
    }
}
