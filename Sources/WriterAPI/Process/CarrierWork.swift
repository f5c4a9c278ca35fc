import Logging
import SystemIO
import WriterModel

/// What a carrier does with what its encoder sends.
struct CarrierWork {
    let settings: EncoderStart
    let log: Logger
    /// To `.url` or `.device`, once that is known and before libav opens anything: all threads of the process, for good.
    let narrow: (Confinement.Reach) throws(SystemError) -> Void

    /// Serves the encoder at the other end of `packets` until its work is done or the encoder has ended. Returns the
    /// process's exit code: 0 unless the carrier itself is at fault.
    ///
    /// It sends back what it reads, until there is an output to write.
    func serve(_ packets: borrowing Descriptor) -> Int32 {
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let isSent = buffer.withUnsafeMutableBytes { buffer in
                guard case .moved(let count) = Socket.receive(packets.number, into: [buffer], limit: buffer.count, deadline: .never)
                else { return false }
                return Socket.sendAll(packets.number, UnsafeRawBufferPointer(rebasing: buffer[..<count]), timeout: .seconds(60)) == .moved(count)
            }
            if !isSent { return 0 }
        }
    }
}
