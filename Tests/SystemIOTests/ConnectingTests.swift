import Bytewise
import SystemIO
import Testing
import Threading

@Suite struct ConnectingTests {
    /// How a connection to an address went, once its socket is writable.
    private static func connect(to address: SocketAddress) throws -> SystemError? {
        let loop = try EventLoop()
        let socket = Descriptor(owning: try Socket.beginConnecting(to: address))
        _ = try loop.watch(socket.number, for: .writable) { loop.stop() }
        loop.run()
        return Socket.connectError(of: socket.number)
    }

    /// IPv6 only where this machine has it.
    private static let hosts = ["127.0.0.1"] + ((try? Listener(host: "::1", port: 0)) == nil ? [] : ["::1"])

    @Test(arguments: hosts)
    func aConnectionThatIsBegunComesAboutWithoutWaiting(host: String) throws {
        let listener = try Listener(host: host, port: 0)
        #expect(try Self.connect(to: listener.address) == nil)
        // This end may know of it first.
        _ = Socket.waitUntilReadable(listener.descriptor, until: .after(.seconds(60)))
        let connection = try listener.accept()
        #expect(connection != nil)
        if let connection { _ = Descriptor(owning: connection) }
    }

    @Test func aConnectionThatIsRefusedSaysSo() throws {
        let address = try Listener(host: "127.0.0.1", port: 0).address
        #expect(try Self.connect(to: address)?.reason == "Connection refused")
    }

    /// "localhost" is ::1 first, where this machine has it, and a server may listen on 127.0.0.1 alone.
    @Test(arguments: hosts)
    func aConnectionToANameComesAboutAtAnyOfItsAddresses(host: String) throws {
        guard SocketAddress.all(of: "localhost", port: 1)?.contains(where: { $0.host.isSame(as: host) }) == true else { return }
        let listener = try Listener(host: host, port: 0)
        let connection = Descriptor(owning: try Socket.connect(host: "localhost", port: listener.address.port))
        #expect(Socket.peer(of: connection.number)?.host.isSame(as: host) == true)
    }

    @Test func namesAndAddressesAreToldApart() {
        #expect(SocketAddress.all(of: "127.0.0.1", port: 80, isNumeric: true)?.map(\.description) == ["127.0.0.1:80"])
        #expect(SocketAddress.all(of: "::1", port: 80, isNumeric: true)?.map(\.description) == ["[::1]:80"])
        #expect(SocketAddress.all(of: "localhost", port: 80, isNumeric: true) == [])
        #expect(SocketAddress.all(of: "localhost", port: 80)?.contains { $0.isLoopback } == true)
    }
}
