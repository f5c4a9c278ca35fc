import Bytewise

/// How many threads ran, or waited for a processor or a disk: the kernel's running average, of the machine.
public enum LoadAverage {
    /// nil where the kernel does not say.
    public static var lastMinute: Double? {
        guard let text = try? File.read("/proc/loadavg") else { return nil }
        return String(decoding: text, as: UTF8.self).parts(at: " ").first.flatMap(Double.init)
    }
}
