import Bytewise
import Libav

/// What is said of a stream beside its frames, and has no place in the file.
struct StorageCheck {
    let format: OutputFormat
    let codec: Codec

    private func unstored(_ parameter: String, _ value: String, because reason: String? = nil) -> Warning {
        Warning(
            .notStored, parameter: parameter,
            "\(parameter) \(value) will not be found in the file: " + (reason ?? "\(format.name) has no place for it with \(codec.codecName)"))
    }

    // MARK: Both

    /// Language, disposition and what else a container says about a stream.
    func warnings(_ presentation: StreamPresentation, language: String?, _ kind: StreamDescription.Kind) -> [Warning] {
        if format.storesUnknown { return [] }
        var found: [Warning] = []
        if presentation.metadata["language"] != nil, !format.storesLanguage(of: kind) {
            found.append(Self.droppedMetadata(language == nil ? "metadata.language" : "language", of: kind, in: format.name))
        }
        for (key, value) in presentation.metadata.sorted(by: { $0.key < $1.key })
        where !value.isEmpty && !key.isSame(as: "language") && !format.storesSomeMetadata {
            found.append(Self.droppedMetadata("metadata.\(key)", of: kind, in: format.name))
        }
        for name in presentation.disposition where !(kind == .video && name == "attached_pic") && !format.stores(name, of: kind) {
            found.append(unstored("disposition", name, because: "\(format.name) has no place for it"))
        }
        return found
    }

    static func droppedMetadata(_ parameter: String, of kind: StreamDescription.Kind, in format: String) -> Warning {
        Warning(.metadataDropped, parameter: parameter, "\(format) has no place for \(parameter) of a stream of \(kind.rawValue)")
    }

    func warnings(codecTag tag: String?) -> [Warning] {
        guard let tag, !format.storesCodecTag(of: codec) else { return [] }
        return [unstored("codec_tag", tag, because: "\(format.name) names \(codec.codecName) in a way of its own")]
    }

    // MARK: Pictures

    /// Of what the client has said, `asked`, or its filters have decided, `filtered`; `stored` is what is to be
    /// written, and `from` how the pictures came.
    func warnings(
        asked: ColorDescription, filtered: ColorDescription, stored: ColorDescription, from source: PixelFormat, as target: PixelFormat
    ) -> [Warning] {
        ColorDescription.Property.allCases.compactMap { property in
            if let value = asked[property] {
                guard let said = stored[property], said.isSame(as: value) else {
                    // What describes YUV that becomes RGB has done its work.
                    if source.colorModel == .yuv && target.colorModel == .rgb { return nil }
                    let reason = stored[property].map { "\(target.name) is of \(property.parameter) \($0)" }
                    return unstored(property.parameter, value, because: reason ?? "\(target.name) has no \(property.parameter)")
                }
                return warning(property, value, property.parameter, stored, target)
            }
            // The name alone says it, which raw pictures do not keep.
            if property == .range, codec.isRawVideo, target.isFullRangeYUV { return warning(property, "pc", property.parameter, stored, target) }
            guard property != .range, let value = filtered[property] else { return nil }
            return warning(property, value, "filter_desc", stored, target)
        }
    }

    private func warning(
        _ property: ColorDescription.Property, _ value: String, _ parameter: String, _ stored: ColorDescription, _ target: PixelFormat
    ) -> Warning? {
        // The format itself says that it is RGB.
        if format.storesUnknown || target.colorModel == .rgb && [.matrix, .range].contains(property) { return nil }
        func unstored(_ reason: String? = nil) -> Warning {
            let name = parameter.isSame(as: property.parameter) ? parameter : "\(property.parameter) of \(parameter)"
            var warning = self.unstored(name, value, because: reason)
            if name != parameter { warning = Warning(.notStored, parameter: parameter, warning.message) }
            return warning
        }
        if let fixed = codec.fixedColor(property) {
            let isAsGood = property == .matrix && Self.sameMatrices.contains(fixed) && Self.sameMatrices.contains(value)
            return isAsGood || fixed.isSame(as: value) ? nil : unstored("pictures of \(codec.codecName) are taken for \(fixed)")
        }
        if codec.toldColors.contains(property) { return nil }
        var needsAll = false
        guard format.storedColors(needsAll: &needsAll).contains(property) else { return unstored() }
        if !needsAll || [.primaries, .transfer, .matrix].allSatisfy({ stored[$0] != nil }) { return nil }
        return unstored("\(format.name) keeps it only where color_primaries, color_trc and colorspace are all given")
    }

    /// Of the same numbers.
    private static let sameMatrices: Set<String> = ["bt470bg", "smpte170m"]

    /// `isFilters`: the client's filters have decided the pixel's shape.
    func warnings(sampleAspectRatio ratio: Fraction?, isFilters: Bool, _ shape: VideoShape) -> [Warning] {
        guard let ratio, ratio.isPositive, !format.storesUnknown, ratio.numerator != ratio.denominator || codec.hasOtherPixels,
            !format.storesSampleAspectRatio(of: codec), !codec.tells(ratio, width: shape.width, height: shape.height)
        else { return [] }
        let value = "\(ratio.numerator)/\(ratio.denominator)"
        guard isFilters else { return [unstored("sample_aspect_ratio", value)] }
        return [Warning(.notStored, parameter: "filter_desc", unstored("sample_aspect_ratio of filter_desc", value).message)]
    }

    func warnings(fieldOrder order: FieldOrder, parameter: String) -> [Warning] {
        guard order.isInterlaced, !format.storesUnknown, !codec.tellsFieldOrder, !format.storesFieldOrder(of: codec) else { return [] }
        return [Warning(.notStored, parameter: parameter, unstored("field_order", order.rawValue).message)]
    }

    func warnings(masteringDisplay display: String?, contentLightLevel level: String?) -> [Warning] {
        if format.storesUnknown || codec.tellsMasteringMetadata { return [] }
        var found: [Warning] = []
        if let display, !format.storesMasteringDisplay(of: codec) { found.append(unstored("mastering_display", display)) }
        if let level, !format.storesLightLevel(of: codec) { found.append(unstored("content_light_level", level)) }
        return found
    }

    // MARK: Sound

    /// `layout` is the client's own, and what is encoded.
    func warnings(_ layout: ChannelLayout) -> [Warning] {
        if format.storesUnknown || layout.channels <= 2 && ["mono", "stereo"].contains(layout.name) { return [] }
        let found: String?
        switch codec.toldLayout(for: layout, in: format) {
        case .found(let name): found = name
        case .leftToContainer where !layout.isNative: found = nil
        case .leftToContainer:
            found = switch format.storedLayouts {
            case .none: nil
            case .all: layout.channels > 2 || format.storesPairs ? layout.name : nil
            case .withoutBacks:
                layout.channels > 2 ? Codec.withoutBacks[layout.name] ?? Codec.inAnotherOrder[layout.name] ?? layout.name : nil
            }
        }
        if found?.isSame(as: layout.name) == true { return [] }
        let reason = found.map { "\(codec.codecName) in \(format.name) is read as \($0)" }
            ?? "\(codec.codecName) in \(format.name) does not say which channels there are"
        return [unstored("channel_layout", layout.name, because: reason)]
    }
}

extension ColorDescription.Property {
    /// The client's name for it.
    var parameter: String {
        switch self {
        case .range: "color_range"
        case .primaries: "color_primaries"
        case .transfer: "color_trc"
        case .matrix: "colorspace"
        }
    }
}
