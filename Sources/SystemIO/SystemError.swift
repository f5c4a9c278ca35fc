import CLinux
import Glibc

/// A system call that failed: which, on what, and the kernel's reason.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    public let number: Int32
    /// What was being done, in a person's words: "listen on 127.0.0.1:80".
    public let operation: String

    public init(_ operation: String, number: Int32 = errno) {
        self.operation = operation
        self.number = number
    }

    /// What is wanted is not there now, and may be soon.
    public static let tryAgain = EAGAIN
    /// More than one message may hold.
    public static let messageTooLong = EMSGSIZE

    public var reason: String { String(cString: strerror(number)) }
    public var description: String { "\(operation): \(reason)" }

    public var isOutOfDescriptors: Bool { number == EMFILE || number == ENFILE }
    public var isAlreadyThere: Bool { number == EEXIST }
    /// A path was refused because it leaves its folder.
    public var leadsOutside: Bool { number == EXDEV }
    /// A path was refused because a symbolic link is on the way.
    public var goesThroughLink: Bool { number == ELOOP }
    public var isOutOfSpace: Bool { number == ENOSPC || number == EDQUOT }
    public var isMissing: Bool { number == ENOENT }
    /// The process lacks the right.
    public var isForbidden: Bool { number == EACCES || number == EPERM }
    /// A name on the way, or the whole path, is no folder.
    public var isNoFolder: Bool { number == ENOTDIR }
    /// A file was to be there and a folder is.
    public var isFolder: Bool { number == EISDIR }
}

/// Runs a call that answers -1 on failure, again when a signal interrupted it.
@discardableResult
func retryingOnInterrupt<T: SignedInteger>(
    _ operation: @autoclosure () -> String, _ call: () -> T
) throws(SystemError) -> T {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw SystemError(operation()) }
    }
}
