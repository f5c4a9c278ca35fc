import Glibc

/// Where libav would connect to instead of the address it was given.
package enum ProxyEnvironment {
    /// libav reads these by itself; a proxy would see, and could send anywhere, what was allowed for
    /// one destination. With one thread only.
    package static func forget() {
        for name in [
            "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        ] { unsetenv(name) }
    }
}
