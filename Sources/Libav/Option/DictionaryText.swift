internal import CLibav

/// Options in one text, "key=value:key=value", as libav reads it.
package enum DictionaryText {
    /// All pairs, also those of a key that comes twice; nil when libav would refuse the text.
    package static func pairs(
        in text: String, keySeparator: String = "=", pairSeparator: String = ":"
    ) -> [(key: String, value: String)]? {
        var dictionary: OpaquePointer?
        defer { av_dict_free(&dictionary) }
        let flags = AV_DICT_MULTIKEY | AV_DICT_MATCH_CASE
        guard av_dict_parse_string(&dictionary, text, keySeparator, pairSeparator, flags) >= 0 else { return nil }
        return entries(of: dictionary)
    }
}

/// The pairs of a dictionary of libav's, in its order.
func entries(of dictionary: OpaquePointer?) -> [(key: String, value: String)] {
    var pairs: [(key: String, value: String)] = []
    var entry: UnsafePointer<AVDictionaryEntry>?
    while let next = UnsafePointer(av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX)) {
        pairs.append((String(cString: next.pointee.key), String(cString: next.pointee.value)))
        entry = next
    }
    return pairs
}
