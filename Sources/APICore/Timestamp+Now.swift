import SystemIO
import WriterModel

extension Timestamp {
    public static func now() -> Timestamp {
        let time = WallClock.now()
        return Timestamp(secondsSinceEpoch: time.seconds, nanoseconds: time.nanoseconds)
    }
}
