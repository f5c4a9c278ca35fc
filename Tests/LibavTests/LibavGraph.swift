import CLibav
import Libav

/// Filters as libav's own parser makes them of a description, or as a FilterDescription says: what
/// each was told, read back from it.
struct LibavGraph: Equatable {
    struct Filter: Equatable {
        let name: String
        let instance: String
        /// Every option that can be read back, set or not.
        let values: [String: String]
    }

    let filters: [Filter]

    /// Nil when libav refuses it.
    init?(parsing description: String) {
        Log.install()
        var graph = avfilter_graph_alloc()
        defer { avfilter_graph_free(&graph) }
        var inputs: UnsafeMutablePointer<AVFilterInOut>?
        var outputs: UnsafeMutablePointer<AVFilterInOut>?
        defer {
            avfilter_inout_free(&inputs)
            avfilter_inout_free(&outputs)
        }
        guard avfilter_graph_parse2(graph, description, &inputs, &outputs) >= 0 else { return nil }
        filters = (0..<Int(graph!.pointee.nb_filters)).map { Filter(graph!.pointee.filters[$0]!) }
    }

    /// The same, made one by one of what was read.
    init?(_ description: FilterDescription) throws {
        var graph = avfilter_graph_alloc()
        defer { avfilter_graph_free(&graph) }
        var filters: [Filter] = []
        for (index, use) in description.uses.enumerated() {
            let name = use.instance ?? "Parsed_\(use.filter)_\(index)"
            guard let filter = avfilter_graph_alloc_filter(graph, avfilter_get_by_name(use.filter), name) else { return nil }
            for option in try use.options() {
                let target: UnsafeMutableRawPointer =
                    av_opt_find(filter, option.name, nil, 0, 0) != nil ? UnsafeMutableRawPointer(filter) : filter.pointee.priv
                guard av_opt_set(target, option.name, option.value, AV_OPT_SEARCH_CHILDREN) >= 0 else { return nil }
            }
            guard avfilter_init_str(filter, nil) >= 0 else { return nil }
            filters.append(Filter(filter))
        }
        self.filters = filters
    }
}

extension LibavGraph.Filter {
    init(_ filter: UnsafeMutablePointer<AVFilterContext>) {
        name = String(cString: filter.pointee.filter.pointee.name)
        // libav cuts the names it makes up.
        instance = String(String(cString: filter.pointee.name).prefix(29))
        var values = Self.values(of: UnsafeMutableRawPointer(filter))
        if filter.pointee.filter.pointee.priv_class != nil { values.merge(Self.values(of: filter.pointee.priv)) { $1 } }
        self.values = values
    }

    private static func values(of object: UnsafeMutableRawPointer) -> [String: String] {
        var values: [String: String] = [:]
        var option: UnsafePointer<AVOption>?
        while let next = av_opt_next(object, option) {
            option = next
            var value: UnsafeMutablePointer<UInt8>?
            guard next.pointee.type != AV_OPT_TYPE_CONST, next.pointee.type != AV_OPT_TYPE_BINARY,
                av_opt_get(object, next.pointee.name, 0, &value) >= 0, let value
            else { continue }
            values[String(cString: next.pointee.name)] = String(cString: value)
            av_free(value)
        }
        return values
    }
}
