import Bytewise
import WriterModel

/// Holds what an encoder says of its writer, in a message or on disk, against what the gateway knows.
struct RecordCheck {
    let writer: WriterID
    let claim: OutputClaim

    /// The record with what is not the encoder's to say put right: its id, and files it never claimed.
    func checked(_ record: WriterRecord) -> WriterRecord {
        var record = record
        record.resource["id"] = .string(writer.text)
        record.managedFile = claim.outputs.first?.managedFiles.first
        record.outputFiles = record.outputFiles.filter(claim.holds)
        if let text = record.fileExtension, !Self.isFileExtension(text) { record.fileExtension = nil }
        if !Self.isMediaType(record.mediaType) { record.mediaType = Self.anyType }
        record.outputs = record.outputs.prefix(ServiceLimits.mostOutputs).map(checked)
        return record
    }

    private func checked(_ output: RecordedOutput) -> RecordedOutput {
        var output = output
        let managed = claim.managedFiles
        output.managedFile = output.managedFile.flatMap { name in managed.first { $0.isSame(as: name) } }
        output.file = output.file.flatMap { claim.holds($0) ? $0 : nil }
        output.fileExtension = output.fileExtension.flatMap { Self.isFileExtension($0) ? $0 : nil }
        if !Self.isMediaType(output.mediaType) { output.mediaType = Self.anyType }
        return output
    }

    private static let anyType = "application/octet-stream"

    private static func isFileExtension(_ text: String) -> Bool {
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "_") }
    }

    /// RFC 9110 §8.3.1, and no more of it than a muxer has.
    private static func isMediaType(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).count == 2
    }
}
