internal import CCurl

/// libcurl's multi handle: many requests by one thread. Everything but `wake` is that thread's alone.
final class CurlMulti: @unchecked Sendable {
    // Unchecked: curl_multi_wakeup is the one function that may be called from any thread, and the handle goes with the last
    // reference.
    private let handle: UnsafeMutableRawPointer

    init() throws(UploadError) {
        guard CurlLibrary.isReady, let handle = curl_multi_init() else { throw UploadError(.local, "libcurl", "there is no memory for requests") }
        self.handle = handle
    }

    deinit { curl_multi_cleanup(handle) }

    func add(_ easy: CurlEasy) -> Bool { curl_multi_add_handle(handle, easy.handle) == CURLM_OK }
    func remove(_ easy: CurlEasy) { curl_multi_remove_handle(handle, easy.handle) }

    /// Does what can be done without waiting.
    func perform() {
        var running: Int32 = 0
        curl_multi_perform(handle, &running)
    }

    /// Waits until something can be done, `wake` is called, or the time is over.
    func wait(milliseconds: Int) { curl_multi_poll(handle, nil, 0, Int32(clamping: milliseconds), nil) }

    /// Ends a wait, now or the next one.
    func wake() { curl_multi_wakeup(handle) }

    /// A request that has ended, by its handle; nil: no further one has.
    func nextEnded() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            if message.pointee.msg == CURLMSG_DONE { return (message.pointee.easy_handle, message.pointee.data.result) }
        }
        return nil
    }
}
