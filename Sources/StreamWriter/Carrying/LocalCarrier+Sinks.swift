import Libav

// What is uploaded.
extension LocalCarrier {
    func prepareSinks(_ option: inout [String: String], _ opening: ContainerOpening) throws(StreamWriterError) {
        guard let sinks else { return }
        let how = format.sinkOpening(option: option)
        if case .spooled = how { isSpooled = true }
        try sinks.prepare(&option, of: how, timeout: opening.timeout)
    }

    func makeSpool() throws(StreamWriterError) -> OutputIO? {
        guard let sinks else { return nil }
        let descriptor = try sinks.spoolDescriptor()
        return try translating(.outOfMemory) { () throws(LibavError) in
            try OutputIO(descriptor: descriptor, bufferBytes: bufferBytes, interruption: interruption)
        }
    }

    func finishSinks() throws(StreamWriterError) {
        guard let sinks else { return }
        do throws(SinkFailure) {
            if isSpooled { try sinks.sendSpool() }
            try sinks.finish()
        } catch {
            throw StreamWriterError(error.isForbidden ? .destinationRefused : .destinationFailed, error.reason)
        }
    }
}
