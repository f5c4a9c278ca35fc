import CLinux
import Glibc

/// accept(2) itself, for who stands in its place.
public enum UninterposedSocketCalls {
    public static func accept(
        _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Int32 {
        clinux_accept_plainly(descriptor, address, length)
    }
}
