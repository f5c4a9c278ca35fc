import WriterModel

/// Judges `hw_accel`: libav takes any path for the device, or a display to connect to.
enum HardwareJudge {
    static func check(_ description: String) throws(Problem) {
        let bytes = Array(description.utf8)
        // Without a device it is the first one.
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count else { return }
        let device = bytes[(colon + 1)...]
        if !isIndex(device) && !isNode(device) {
            throw Problem(
                .forbiddenOption,
                "The hw_accel \(description) is not allowed: its device must be a number, as in cuda:0, or a node below /dev/dri, such as /dev/dri/renderD128.",
                parameter: "hw_accel")
        }
    }

    private static func isNode(_ path: ArraySlice<UInt8>) -> Bool {
        guard path.starts(with: "/dev/dri/".utf8) else { return false }
        let components = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return components.allSatisfy { !$0.isEmpty && !$0.elementsEqual("..".utf8) && !$0.elementsEqual(".".utf8) }
    }

    private static func isIndex(_ text: ArraySlice<UInt8>) -> Bool {
        (1...4).contains(text.count) && text.allSatisfy { (0x30...0x39).contains($0) }
    }
}
