import Bytewise
import Glibc

/// The machine, or the container that is one.
public enum Machine {
    /// Another text after each boot of the kernel; empty where it does not say.
    public static var boot: String {
        let text = (try? File.read("/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    public static var name: String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let isKnown = bytes.withUnsafeMutableBytes { gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1) } == 0
        return isKnown ? String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) : ""
    }
}
