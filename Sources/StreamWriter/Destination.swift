import Glibc

/// Where the encoded bytes go.
public struct Destination: Sendable {
    enum Target: Sendable {
        case file(descriptor: Int32)
        case url(String)
        case device(String)
    }

    let target: Target
    let name: String
    /// Called after bytes were written to a descriptor, on the thread that wrote them.
    var onWrite: (@Sendable () -> Void)?

    /// A descriptor, which the writer owns from `StreamWriter.init` on, also when that throws.
    /// The muxer follows from the extension of `name` unless it is given. `onWrite` is called
    /// after bytes were written, on the thread that wrote them; it must not take long.
    public static func file(
        descriptor: Int32, name: String, onWrite: (@Sendable () -> Void)? = nil
    ) -> Destination {
        Destination(target: .file(descriptor: descriptor), name: name, onWrite: onWrite)
    }

    /// Written by libav's own protocols. Whether the client may is decided elsewhere.
    public static func url(_ url: String) -> Destination {
        Destination(target: .url(url), name: url)
    }

    /// A name for the output device the `format` stands for.
    public static func device(_ name: String) -> Destination {
        Destination(target: .device(name), name: name)
    }

    /// For when no writer takes it over.
    func discard() {
        if case .file(let descriptor) = target { Glibc.close(descriptor) }
    }
}
