import Bytewise
import SystemIO

/// The parts of the system that libav, and what it loads, needs.
enum SystemPlaces {
    /// For every process. No configuration of other programs, no keys, no user's home.
    static let read: [SandboxRules.Place] =
        (libraries + fonts + facts).map { .lasting($0, .read) } + readable(replaced) + [
            .lasting("/dev/null", [.readFiles, .writeFiles]), .lasting("/dev/zero", .readFiles),
            .lasting("/dev/urandom", .readFiles), .lasting("/dev/random", .readFiles),
        ]

    /// For one that connects: a name is resolved, and a certificate judged, by the process that does.
    static let network: [SandboxRules.Place] = readable(names + certificates)

    /// Codecs, filters and drivers are loaded when they are asked for.
    private static let libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
    /// Of drawtext, ass and subtitles; and the time zones of drawtext.
    private static let fonts = [
        "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig", "/etc/fonts", "/var/cache/fontconfig", "/usr/share/zoneinfo",
    ]
    /// Files that others take the place of while the server runs. And the process itself, whose threads are listed when
    /// it is narrowed.
    private static let replaced = ["/etc/ld.so.cache", "/etc/localtime", "/proc/self"]
    private static let names = [
        "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services",
        "/etc/protocols",
    ]
    private static let certificates = [
        "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
        "/etc/gnutls", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/crypto-policies",
    ]
    /// How many processors, how much memory: x265, SVT-AV1, libgomp and the allocator ask.
    private static let facts = [
        "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory",
        "/sys/devices/system/cpu", "/sys/devices/system/node",
    ]

    /// `hw_accel` and encoders on hardware: GPUs by their render nodes, which give no access to a screen,
    /// and where drivers look up what they are.
    static var hardwareEncoders: [SandboxRules.Place] {
        let nodes = (Directory.names(in: "/dev/dri").filter { $0.begins(with: "renderD") }.map { "/dev/dri/" + $0 })
            + Directory.names(in: "/dev").filter { $0.begins(with: "nvidia") }.map { "/dev/" + $0 }
        if nodes.isEmpty { return [] }
        return nodes.map { .path($0, .useDevices) }
            + readable(["/sys/dev/char", "/sys/devices", "/sys/bus/pci", "/proc/driver/nvidia", "/proc/devices",
                "/usr/share/libdrm", "/usr/share/drirc.d", "/usr/share/vulkan", "/etc/vulkan", "/etc/OpenCL"])
    }

    /// What --allow-devices opens: sound, screens and video outputs; the configuration, keys and shared
    /// memory with which ALSA, X11 and PulseAudio are talked to.
    static var outputDevices: [SandboxRules.Place] {
        let nodes = ["/dev/snd", "/dev/dri", "/dev/dsp"]
            + Directory.names(in: "/dev").filter { $0.begins(with: "fb") || $0.begins(with: "video") }.map { "/dev/" + $0 }
        let configuration = ["/etc/alsa", "/etc/asound.conf", "/usr/share/alsa", "/etc/pulse", "/usr/share/X11",
            "/etc/X11", "/usr/share/drirc.d", "/usr/share/glvnd", "/usr/share/libdrm", "/etc/machine-id",
            "/sys/dev/char", "/sys/devices", "/sys/class"]
        let named = ["ALSA_CONFIG_PATH", "XAUTHORITY", "PULSE_COOKIE", "PULSE_CLIENTCONFIG"].compactMap { Environment[$0] }
        return nodes.map { .path($0, .useDevices) } + readable(configuration + named) + network
            // PulseAudio passes samples in files here.
            + [.path("/dev/shm", [.read, .writeFiles, .makeFiles, .removeFiles])]
    }

    private static func readable(_ paths: [String]) -> [SandboxRules.Place] { paths.map { .path($0, .read) } }
}
