import Foundation

/// The real nginx with its RTMP module: the application "live" passes on and records what is
/// published.
final class NginxRTMP: Sendable {
    static let module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
    static let program = "/usr/sbin/nginx"
    static var isInstalled: Bool {
        [module, program].allSatisfy { FileManager.default.fileExists(atPath: $0) }
    }

    let port: LoopbackPort
    let folder: TemporaryFolder
    private let process: Peer

    /// `port`: of one that was stopped.
    static func start(on port: LoopbackPort? = nil) async throws -> NginxRTMP {
        let server = try NginxRTMP(port ?? LoopbackPort.free())
        try await server.port.isTaken()
        return server
    }

    private init(_ port: LoopbackPort) throws {
        self.port = port
        folder = try TemporaryFolder()
        let configuration = """
            load_module \(Self.module);
            daemon off; master_process off; worker_processes 1;
            pid \(folder / "pid"); error_log \(folder / "error.log") info;
            events { worker_connections 64; }
            rtmp { server {
                listen 127.0.0.1:\(port.number);
                access_log off;
                application live { live on; record all; record_path \(folder.path); record_suffix .flv; }
            } }
            """
        try configuration.write(toFile: folder / "nginx.conf", atomically: true, encoding: .utf8)
        process = try Peer(
            Self.program, ["-p", folder.path, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    }

    func url(_ key: String) -> String { "rtmp://127.0.0.1:\(port.number)/live/\(key)" }
    func recording(_ key: String) -> String { folder / "\(key).flv" }

    /// At once, with its connections.
    func stop() async throws { try await process.stop(with: SIGKILL) }
}
