import SystemIO

/// A descriptor that becomes readable once and stays so.
final class SocketWaker: Sendable {
    private let writer: MessageSocket
    private let reader: MessageSocket

    init() throws(SystemError) {
        let (first, second) = try DescriptorPair.messageSockets().split()
        writer = MessageSocket(owning: first)
        reader = MessageSocket(owning: second)
    }

    var descriptor: Int32 { reader.descriptor }

    func wake() { writer.finishSending() }
}
