internal import CLibav
import Glibc

/// libavdevice, loaded when it is first asked for: some fifty libraries come with it (SDL, X11, PulseAudio),
/// whose mappings every fork of a process that has them copies and tears down.
enum DeviceLibrary {
    /// Makes the devices known to libavformat. Without the library there are none.
    static func register() { registered }

    /// nil without the library.
    static var version: UInt32? {
        symbol("avdevice_version", as: (@convention(c) () -> UInt32).self).map { $0() }
    }

    private static let registered: Void = {
        symbol("avdevice_register_all", as: (@convention(c) () -> Void).self).map { $0() }
    }()

    // Unchecked: a handle that is never closed.
    nonisolated(unsafe) private static let handle = dlopen(clibav_device_library, RTLD_NOW)

    /// `type` is the function's, as C declares it.
    private static func symbol<F>(_ name: String, as type: F.Type) -> F? {
        guard let handle, let address = dlsym(handle, name) else { return nil }
        return unsafeBitCast(address, to: type)
    }
}
