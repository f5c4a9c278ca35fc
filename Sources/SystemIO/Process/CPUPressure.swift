import Bytewise

/// How often something that could have run had to wait for a processor, by the kernel's own account
/// (PSI): of this process's control group where it has one, otherwise of the machine.
///
/// Unlike the load average it tells waiting from running, leaves out what waits for a disk, sees what a
/// container's quota takes away, and follows within seconds.
public enum CPUPressure {
    /// Percent of the last ten seconds; nil where the kernel does not say.
    public static var percent: Double? {
        for path in paths {
            if let text = try? File.read(path), let percent = parse(String(decoding: text, as: UTF8.self)) {
                return percent
            }
        }
        return nil
    }

    /// "some avg10=1.53 avg60=…", then a line for "full".
    package static func parse(_ text: String) -> Double? {
        guard let line = text.parts(at: "\n").first(where: { $0.begins(with: "some ") }),
            let average = line.parts(at: " ").lazy.compactMap({ $0.without(prefix: "avg10=") }).first
        else { return nil }
        return Double(average)
    }

    private static let paths: [String] = {
        let groups = (try? File.read("/proc/self/cgroup")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let own = groups.parts(at: "\n").lazy.compactMap { $0.without(prefix: "0::") }.first ?? ""
        return ["/sys/fs/cgroup\(own)/cpu.pressure", "/proc/pressure/cpu"]
    }()
}
