import Bytewise
import Libav

extension RawPictures {
    /// Of the formats that the container keeps, one that raw pictures of `source` are made to without loss.
    func substitute(for source: PixelFormat, in container: OutputFormat) throws(StreamWriterError) -> PixelFormat {
        let exact = Self.formats.filter { source.canBecome($0) && isReordered(source, $0) && keep($0) }
        let inOrder = exact.filter { $0.isBigEndian == source.isBigEndian }
        guard let best = PixelFormat.best(of: inOrder.isEmpty ? exact : inOrder, for: source) else { throw refusal(of: source, in: container) }
        return best
    }

    /// The same numbers in other places: more of what the scaler does is not exact.
    private func isReordered(_ source: PixelFormat, _ target: PixelFormat) -> Bool {
        // Of packed pixels that share their color it leaves the last ones out where they are no whole group.
        let areWhole = source.pixelsOfChroma == 1 || source.isPlanar && target.isPlanar || width % 4 == 0
        return areWhole && source.colorModel == target.colorModel && source.depths == target.depths && source.chromaBlock == target.chromaBlock
            && source.isFullRangeYUV == target.isFullRangeYUV && source.isFloat == target.isFloat && Warning.losesNothing(source, as: target)
    }

    fileprivate func refusal(of format: PixelFormat, in container: OutputFormat) -> StreamWriterError {
        let kept = Self.formats.filter(keep)
        var ways: [String] = []
        var names = kept.map(\.name)
        if let best = PixelFormat.best(of: kept, for: format), format.canBecome(best) {
            names = [best.name] + names.filter { !$0.isSame(as: best.name) }
            ways.append("encoder_format \(best.name)")
        }
        let others = ["nut", "avi", "mov"].compactMap { OutputFormat(named: $0) }
            .filter { within($0)?.keep(format) ?? false }.map(\.name)
        if !others.isEmpty { ways.append("a format that keeps \(format.name): \(others.joined(separator: ", "))") }
        ways.append("an encoder that loses nothing, such as ffv1 in matroska")
        let held = names.isEmpty ? "keeps no raw pictures" : "keeps those of \(names.joined(separator: ", "))"
        return StreamWriterError(
            .unsupportedValue,
            "the format \(container.name) does not keep raw pictures of \(format.name) of this size: they would be read back as others, or not at all. Choose \(ways.joined(separator: "; or ")). At this size \(container.name) \(held)",
            parameter: "encoder_format", supported: names.isEmpty ? nil : names)
    }
}

extension OutputFormat {
    /// Raw pictures must be read back as what they are.
    func requirePictures(of stream: StreamParameters) throws(StreamWriterError) {
        guard let pictures = stream.rawPictures,
            let raw = RawPictures(in: self, width: pictures.width, height: pictures.height, tag: pictures.tag), !raw.keep(pictures.format)
        else { return }
        let untagged = RawPictures(in: self, width: pictures.width, height: pictures.height)
        throw (untagged ?? raw).refusal(of: pictures.format, in: self)
    }
}
