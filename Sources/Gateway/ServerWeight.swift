import SystemIO
import Threading
import WriterModel

/// How large a server's share of new work should be among several, in percent of an idle one's.
package enum ServerWeight {
    /// At least 1, so that the last server with any room is asked.
    ///
    /// `loadPerProcessor`: the load average; `pressure`: percent of the time in which something waited for a
    /// processor; new writers are refused at `pressureLimit` of it, or never where that is 0.
    package static func percent(loadPerProcessor: Double, pressure: Double, pressureLimit: Double, live: Int, limit: Int) -> Int {
        let room = max(0, 1 - Double(live) / Double(limit))
        let calm = pressureLimit > 0 ? max(0, 1 - pressure / pressureLimit) : 1
        return max(1, Int(100 * room * calm / (1 + loadPerProcessor)))
    }

    static func now(live: Int, _ limits: ServiceLimits) -> Int {
        percent(
            loadPerProcessor: (LoadAverage.lastMinute ?? 0) / Double(Processors.count), pressure: CPUPressure.percent ?? 0,
            pressureLimit: limits.maxLoad, live: live, limit: limits.maxWriters)
    }
}
