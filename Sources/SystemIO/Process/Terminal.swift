import Glibc

/// The terminal that a program writes to, if it does.
public enum Terminal {
    /// Of standard output; nil: that is no terminal, or one that does not know its size.
    public static var columns: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
