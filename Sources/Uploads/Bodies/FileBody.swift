import Threading

/// A body that is a part of a finished file.
final class FileBody: RequestBody {
    private let file: SpoolFile
    private let range: Range<Int>
    private let read = Monitor(0)

    init(_ file: SpoolFile, _ range: Range<Int>) { (self.file, self.range) = (file, range) }

    var size: Int? { range.count }
    var position: Int { read.withLock { $0 } }
    var isAtEnd: Bool { position == range.count }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> BodyRead {
        let position = position
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(range.count - position))
        if wanted.isEmpty { return .end }
        do {
            let count = try file.read(into: wanted, at: range.lowerBound + position)
            if count == 0 { return .failed(UploadError(.local, file.shownName, "it has become shorter while it was sent")) }
            // Only the client's thread moves it.
            read.withLock { $0 += count }
            return .bytes(count)
        } catch { return .failed(error) }
    }

    func rewind() -> Bool {
        read.withLock { $0 = 0 }
        return true
    }
}
