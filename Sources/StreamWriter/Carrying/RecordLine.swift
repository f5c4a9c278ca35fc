import Libav
import Synchronization

/// Records of the packet log over a line of bytes. One thread sends, one receives.
final class RecordLine: Sendable {
    private let line: any ByteLine
    private let framing = PacketLogFraming(hasChecksums: false)

    /// Of a record: a reader sets memory aside for one by its head alone.
    static let mostPacketBytes = 1 << 30
    static let mostAnswerBytes = 4 << 20
    static let chunkBytes = 64 * 1024

    init(_ line: any ByteLine) { self.line = line }

    /// False: the other side takes no more.
    func send(_ message: CarrierMessage) throws(PacketLogError) -> Bool {
        let record = try message.record(in: framing)
        return record.withUnsafeBytes { line.send([$0]) }
    }

    func send(_ parameters: StreamParameters) throws(PacketLogError) -> Bool {
        let record = try framing.record(parameters)
        return record.withUnsafeBytes { line.send([$0]) }
    }

    func send(_ packet: Packet) throws(PacketLogError) -> Bool {
        do {
            return try framing.withRecord(of: packet) { line.send($0) }
        } catch let error as PacketLogError {
            throw error
        } catch {
            preconditionFailure("sending throws nothing")
        }
    }

    func end() { line.end() }

    /// Hands each record to `take`, until that gives false or no more comes. `pause` is called before waiting for more.
    func receiveAll(
        mostBytes: Int, pause: () -> Bool = { true }, _ take: (PacketLogRecord) throws(PacketLogError) -> Bool
    ) throws(PacketLogError) {
        var reader = PacketLogReader(hasChecksums: false, mostBytes: mostBytes)
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        while pause() {
            if reader.missingBytes > Self.chunkBytes {
                var count = 0
                let record = try reader.fillDirectly { regions in
                    count = line.receive(into: regions)
                    return count
                }
                if count == 0 { return }
                if let record, try !take(record) { return }
                continue
            }
            let count = line.receive(into: [chunk])
            if count == 0 { return }
            var rest = UnsafeRawBufferPointer(rebasing: chunk[..<count])
            while !rest.isEmpty {
                let (taken, record) = try reader.take(rest)
                rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
                if let record, try !take(record) { return }
            }
        }
    }
}
