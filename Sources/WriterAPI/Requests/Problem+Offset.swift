import WriterModel

extension Problem {
    /// A problem with a stream's offset tells it in its field too.
    package var offsetFields: [(name: String, value: String)] {
        guard let offset = extras.first(where: { $0.name == "offset" })?.value.integerValue else { return [] }
        return [("Upload-Offset", String(offset))]
    }
}
