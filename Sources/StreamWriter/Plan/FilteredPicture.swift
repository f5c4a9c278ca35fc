import Libav

/// The pictures that come out of the client's filters; those that are sent, without any.
struct FilteredPicture {
    private(set) var shape: VideoShape
    /// What is known of their colors.
    private(set) var color = ColorDescription()
    private(set) var fieldOrder: FieldOrder?
    let isFiltered: Bool
    /// The client's filters name the format of what they give.
    let namesFormat: Bool
    /// They say how colors are converted: then that is left to them.
    let convertsColor: Bool
    /// Arguments of the scalers that libav puts between them.
    let scaling: String?
    /// They make YUV of what is RGB when it is sent.
    private let makesYUV: Bool
    private let matrix: String?

    typealias Build = (_ stages: [FilterGraph.Stage], _ scaling: String?) -> EncodePlan.Filtering

    init(
        _ source: VideoShape, _ config: VideoStreamConfig, _ tags: ColorDescription, _ build: Build
    ) throws(StreamWriterError) {
        let description = try ColorFilters(config.filterDesc)
        namesFormat = description.namesFormat
        convertsColor = description.convertsColor
        scaling = source.format.colorModel == .rgb ? description.scaling(as: tags) : nil
        shape = source
        isFiltered = config.filterDesc != nil
        guard isFiltered else {
            (makesYUV, matrix) = (false, nil)
            return
        }
        guard case .video(let output) = try build([], scaling).build().output else {
            throw StreamWriterError(
                .invalidFilter, "the filters of a video stream must give video", parameter: "filter_desc")
        }
        shape = output
        if !shape.frameRate.isPositive { shape.frameRate = config.frameRate.fraction }
        makesYUV = source.format.colorModel == .rgb
        matrix = description.matrix ?? (scaling == nil ? nil : tags[.matrix])
    }

    /// Finds out what only a frame tells, by one that goes through `filtering`, to become `format`.
    mutating func learn(from filtering: EncodePlan.Filtering, as format: PixelFormat) throws(StreamWriterError) {
        guard let traits = try filtering.trial() else { return }
        color = traits.color
        fieldOrder = traits.fieldOrder
        guard makesYUV, format.colorModel == .yuv, color[.matrix] == nil else { return }
        // Before 7.1 libav's scaler does not say what it did.
        _ = color.set(.matrix, to: matrix ?? ColorPlan.usualMatrix)
    }
}

/// What a description of filters says about formats and colors.
private struct ColorFilters {
    var namesFormat = false
    var convertsColor = false
    /// By libav's name: the last that a scaler converts to.
    var matrix: String?
    private var scales = false

    private static let converters: Set<String> = ["zscale", "colorspace", "colormatrix", "libplacebo"]
    private static let colorOptions: Set<String> = [
        "in_color_matrix", "out_color_matrix", "in_range", "out_range", "in_primaries", "out_primaries", "in_transfer", "out_transfer",
    ]

    init(_ description: String?) throws(StreamWriterError) {
        guard let description else { return }
        let uses = try translating(.invalidFilter, parameter: "filter_desc") { () throws(LibavError) in
            try FilterDescription(description).uses
        }
        for use in uses {
            if Self.converters.contains(use.filter) { convertsColor = true }
            if use.filter == "format" { namesFormat = true }
            guard use.filter == "scale" else { continue }
            scales = true
            // Of a filter that does not exist or take them: building says so.
            for option in (try? use.options()) ?? [] where Self.colorOptions.contains(option.name) {
                convertsColor = true
                if option.name == "out_color_matrix" { matrix = ColorPlan.matrix(ofScaler: option.value) }
            }
        }
        scales = scales || (try? FilterDescription(description).scaleArguments) ?? nil != nil
    }

    /// For RGB that is tagged. Scalers of the client's own would be given it as well.
    func scaling(as tags: ColorDescription) -> String? {
        guard !scales, let name = tags[.matrix], let matrix = ColorPlan.scalerNames[name] else { return nil }
        return (["in_color_matrix=\(matrix)", "out_color_matrix=\(matrix)"] + (tags[.range].map { ["out_range=\($0)"] } ?? []))
            .joined(separator: ":")
    }
}
