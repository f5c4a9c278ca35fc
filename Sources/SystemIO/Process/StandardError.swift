import Glibc

/// Standard error as a place for whole lines.
public enum StandardError {
    public static func write(_ bytes: [UInt8]) {
        var written = 0
        while written < bytes.count {
            let rest = bytes[written...]
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { return }
            written += max(0, count)
        }
    }
}
