internal import CLibav

/// Options for a libav object. The object takes out what it knows; what stays is unknown to it.
package struct Options: ~Copyable {
    var dictionary: OpaquePointer?

    package init(_ pairs: [String: String]) {
        // In a fixed order, so that equal options always give equal output.
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            av_dict_set(&dictionary, key, value, 0)
        }
    }

    deinit {
        var dictionary = dictionary
        av_dict_free(&dictionary)
    }

    /// Of every protocol: those it may be made of.
    static let protocols = "protocol_whitelist"

    mutating func set(_ key: String, _ value: String) { av_dict_set(&dictionary, key, value, 0) }

    /// The keys nothing has consumed.
    package var leftovers: [String] { entries(of: dictionary).map(\.key) }
}
