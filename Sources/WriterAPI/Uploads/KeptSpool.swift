import APICore
import Bytewise
import StreamWriter
import SystemIO
import Uploads
import WriterModel

/// The file that an output is written to before it is sent, and kept in until it has been: in a folder of the output's own.
final class KeptSpool: Sendable {
    let folder: Directory
    private let order: RetryOrder
    private let partName: String
    private let way: String

    /// Before the process is confined to it. nil: no folder can be had, and what needs one says so.
    convenience init?(_ order: CarrierOrder, muxer: String, _ settings: EncoderStart) {
        guard WriterID.isName(order.output), let folder = try? Self.folder(of: order.output, settings) else { return nil }
        var retry = RetryOrder(destination: order.name, format: muxer, option: UploadOptions.own(in: order.option))
        let fields = order.uploadFields
        (retry.contentType, retry.cacheControl) = (fields.contentType, fields.cacheControl)
        (retry.storageClass, retry.objectMetadata) = (fields.storageClass, fields.objectMetadata)
        self.init(in: folder, retry, way: "/v1/writers/\(settings.writer)/outputs/\(order.output)/retry")
    }

    private init(in folder: Directory, _ order: RetryOrder, way: String) {
        (self.folder, self.order, self.way) = (folder, order, way)
        partName = "part-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    private static func folder(of output: String, _ settings: EncoderStart) throws(SystemError) -> Directory {
        let (own, name) = (try Directory(path: settings.folder), KeptSpools.folder(of: output))
        // Of a carrier of the same output that broke, or of one of an earlier output of the name.
        if own.contains(name) { try own.removeSubdirectory(name) }
        try own.makeSubdirectory(name)
        return try own.subdirectory(name)
    }

    /// Makes the file.
    func begin() throws(UploadError) -> SpoolFile { try SpoolFile(creating: "\(folder.path)/\(partName)") }

    /// The file is finished: it outlives this process from here on.
    func keep() throws(SystemError) {
        try folder.writeAtomically(KeptSpools.orderName, order.json.encoded)
        try folder.rename(partName, to: KeptSpools.fileName, replaces: true)
    }

    /// It has been sent.
    func remove() {
        for name in [KeptSpools.fileName, KeptSpools.orderName, partName] { try? folder.removeFile(name) }
    }

    /// What an error says that leaves it there.
    var advice: String { "; what was to be sent is kept, and POST \(way) sends it again once the writer has ended" }
}
