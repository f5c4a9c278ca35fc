internal import CLibav

/// Whether a flag is among those an option of an object has set.
func hasFlag(_ object: UnsafeMutableRawPointer, _ flag: String, in option: String) -> Bool {
    var value: Int64 = 0
    guard av_opt_get_int(object, option, AV_OPT_SEARCH_CHILDREN, &value) >= 0,
        let unit = av_opt_find(object, option, nil, 0, AV_OPT_SEARCH_CHILDREN)?.pointee.unit,
        let constant = av_opt_find(object, flag, unit, 0, AV_OPT_SEARCH_CHILDREN)
    else { return false }
    return value & constant.pointee.default_val.i64 != 0
}
