internal import CLibav
import Glibc

/// A libav call that failed: which, while doing what, and what libav logged about it.
package struct LibavError: Error, Equatable {
    package enum Kind: Sendable {
        case optionNotFound, noSpace, tooLarge, outOfMemory, invalid, interrupted, alreadyThere, leadsOutside, other
    }

    /// libav's own code, negative.
    package let code: Int32
    /// What was being done, as a phrase: "opening the encoder libx264".
    package let doing: String
    /// The option at fault, when one is known.
    package var option: String?
    /// The parameter of a stream's at fault, by its name.
    package var parameter: String?
    /// Why the call was refused before it was made: a whole sentence.
    package private(set) var refusal: String?
    /// `doing` says what is wrong, so that the code's text adds nothing: no call of libav's has failed.
    package private(set) var saysAll = false
    /// More threads than the encoder may have were asked for.
    package var excess: Excess?
    /// The lines libav logged since the last error, oldest first.
    package let log: [String]
    /// The one of them that says best what was wrong; nil where libav logged nothing but warnings.
    package let cause: String?
    /// The same, of warnings.
    package let warning: String?

    package struct Excess: Sendable, Equatable {
        package let limit: Int
    }

    package init(code: Int32, doing: String, option: String? = nil) {
        self.code = code
        self.doing = doing
        self.option = option
        let lines = Log.takeLines()
        log = lines.map(\.text)
        cause = LogCause.best(of: lines.filter(\.isError))
        warning = LogCause.best(of: lines.filter { !$0.isError })
    }

    init(refusal: String) {
        self.init(code: clibav_error_refused, doing: refusal)
        self.refusal = refusal
    }

    /// What a sink says of its failure.
    init(_ failure: SinkFailure) {
        if failure.isForbidden {
            self.init(refusal: failure.reason)
        } else {
            self.init(code: failure.isTooLarge ? clibav_error_too_large : clibav_error_from_errno(EIO), doing: failure.reason)
            saysAll = true
        }
    }

    /// libav's text for the code.
    package var text: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            av_strerror(code, buffer.baseAddress, buffer.count)
            return String(cString: buffer.baseAddress!)
        }
    }

    package var kind: Kind {
        switch code {
        case clibav_error_option_not_found: .optionNotFound
        case clibav_error_no_space: .noSpace
        case clibav_error_too_large: .tooLarge
        case clibav_error_no_memory: .outOfMemory
        case clibav_error_invalid: .invalid
        case clibav_error_exit: .interrupted
        case clibav_error_already_there: .alreadyThere
        case clibav_error_leads_outside, clibav_error_is_link: .leadsOutside
        default: .other
        }
    }

    /// What libav would not take, or not survive. `reason` is a whole sentence but for its period.
    static func invalid(_ reason: String, option: String? = nil) -> LibavError {
        var error = LibavError(code: clibav_error_invalid, doing: reason, option: option)
        error.saysAll = true
        return error
    }

    package init(interrupted doing: String) {
        self.init(code: clibav_error_exit, doing: doing)
    }

    package init(outOfOrder doing: String) {
        self.init(code: clibav_error_invalid, doing: doing)
    }

    /// The log says which assertion of libav's it was.
    static func asserted(_ doing: String) -> LibavError {
        LibavError(code: clibav_error_asserted, doing: "\(doing): an assertion of libav's failed; it does not take this input")
    }

    static func outOfMemory(_ doing: String) -> LibavError {
        LibavError(code: clibav_error_no_memory, doing: doing)
    }
}

/// The one gate from a libav return code to an error.
@discardableResult
func check(_ code: Int32, _ doing: @autoclosure () -> String) throws(LibavError) -> Int32 {
    guard code < 0 else { return code }
    throw LibavError(code: code, doing: doing())
}

/// The gate for calls that answer with a pointer: nil is out of memory.
func allocated<T>(_ pointer: T?, _ doing: @autoclosure () -> String) throws(LibavError) -> T {
    guard let pointer else { throw .outOfMemory(doing()) }
    return pointer
}
