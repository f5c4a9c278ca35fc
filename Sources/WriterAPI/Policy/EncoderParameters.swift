import Bytewise

/// What may be told to an encoder's own library through one option, "key=value:key=value". libav
/// hands the keys on unread, so that they can't be looked up: what is not in these lists is refused.
package struct EncoderParameters: Sendable, Equatable {
    /// How a key is written that the library takes for another one.
    enum Spelling: Sendable { case exact, x264, x265 }

    let library: String
    var spelling = Spelling.exact
    /// Keys that only say how to encode.
    let harmless: Set<String>
    /// Keys that would be harmless but for some of their values, and the values that are.
    var values: [String: Set<String>] = [:]
    /// Keys with parameters for a part of the stream in them.
    var zones: Set<String> = []
    /// Keys, and why.
    let refused: [String: String]

    /// Of all keys that may be given, sorted.
    var names: [String] { (harmless.union(values.keys).union(zones)).map { ByteKey($0) }.sorted().map(\.text) }

    package enum Finding: Equatable {
        /// The reason.
        case refused(String)
        /// The key has not been judged, or there is none of the name.
        case unknown
    }

    /// Nil when the parameter may be passed on.
    package func finding(_ key: String, _ value: String) -> Finding? {
        let name = normalized(key)
        if let reason = refused[name] { return .refused(reason) }
        if let values = values[name] {
            return values.contains(value)
                ? nil : .refused("anything but \(values.sorted().joined(separator: " and ")) is the name of a file to read")
        }
        if zones.contains(name) { return findingInZones(value) }
        return harmless.contains(name) ? nil : .unknown
    }

    /// "0,100,crf=20,no-cabac/101,200,q=30": any parameter may stand in a zone.
    private func findingInZones(_ value: String) -> Finding? {
        for zone in value.utf8.split(separator: UInt8(ascii: "/")) {
            for part in zone.split(separator: UInt8(ascii: ",")).dropFirst(2) {
                let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                let key = String(decoding: pair[0], as: UTF8.self)
                if key == "q" || key == "b" { continue }
                let value = pair.count > 1 ? String(decoding: pair[1], as: UTF8.self) : ""
                if let finding = finding(key, value) { return finding }
            }
        }
        return nil
    }

    /// As the library itself compares it.
    private func normalized(_ key: String) -> String {
        var bytes = Array(key.utf8)
        switch spelling {
        case .exact: return key
        case .x264: break
        case .x265: if bytes.starts(with: Array("--".utf8)) { bytes.removeFirst(2) }
        }
        bytes = bytes.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        if bytes.starts(with: Array("no".utf8)) {
            bytes.removeFirst(2)
            if bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension EncoderParameters {
    private static func names(_ list: String) -> Set<String> { Set(JudgementTable.names(list)) }

    private static func refusals(_ lists: (names: String, reason: String)...) -> [String: String] {
        var refusals: [String: String] = [:]
        for (list, reason) in lists { for name in names(list) { refusals[name] = reason } }
        return refusals
    }

    private static let reads = "it reads a file"
    private static let writes = "it writes a file"
    private static let statistics = "it keeps statistics in a file, for a second pass"
    private static let geometry = "what comes in is told by the stream's own parameters"

    /// x264's x264_param_parse (build 164).
    static let x264 = EncoderParameters(
        library: "x264", spelling: .x264,
        harmless: names(
            """
            asm threads lookahead-threads sliced-threads sync-lookahead deterministic n-deterministic cpu-independent
            level level-idc bluray-compat avcintra-class avcintra-flavor sar overscan videoformat fullrange colorprim
            transfer colormatrix chromaloc mastering-display cll alternative-transfer fps ref frameref dpb-size keyint
            min-keyint keyint-min scenecut intra-refresh bframes b-adapt b-bias b-pyramid open-gop nf filter deblock
            slice-max-size slice-max-mbs slice-min-mbs slices slices-max cabac cabac-idc interlaced tff bff
            constrained-intra cqm4 cqm8 cqm4i cqm4p cqm4iy cqm4ic cqm4py cqm4pc cqm8i cqm8p log analyse partitions
            8x8dct weightb weight-b weightp direct direct-pred chroma-qp-offset me merange me-range mvrange mv-range
            mvrange-thread mv-range-thread subme subq psy-rd psy chroma-me mixed-refs trellis fast-pskip dct-decimate
            deadzone-inter deadzone-intra nr bitrate qp qp-constant crf crf-max rc-lookahead qpmin qp-min qpmax qp-max
            qpstep qp-step ratetol vbv-maxrate vbv-bufsize vbv-init ipratio ip-factor pbratio pb-factor aq-mode
            aq-strength qcomp mbtree qblur cplxblur cplx-blur crop-rect psnr ssim aud sps-id global-header
            repeat-headers annexb force-cfr nal-hrd filler pic-struct fake-interlaced frame-packing stitchable
            """),
        values: ["cqm": ["flat", "jvt"]], zones: ["zones"],
        refused: refusals(
            ("pass stats", statistics), ("cqmfile qpfile tcfile-in", reads), ("dump-yuv tcfile-out output", writes),
            ("opencl opencl-clbin opencl-device", "it compiles a program and keeps it in a file")))

    /// x265's x265_param_parse (3.5). Left out: what changes the size or depth of the pictures it
    /// expects, or lets it keep pictures that are not its own.
    static let x265 = EncoderParameters(
        library: "x265", spelling: .x265,
        harmless: names(
            """
            allow-non-conformance amp annexb aq-mode aq-motion aq-strength asm atc-sei aud b-adapt b-intra b-pyramid
            bframe-bias bframes bitrate cbqpoffs chromaloc cip cll colormatrix colorprim const-vbv constrained-intra
            cplxblur crf crf-max crf-min crop-rect crqpoffs ctu cu-lossless cu-stats cutree deblock display-window
            dup-threshold dynamic-rd early-skip fades fast-intra force-flush fps frame-dup frame-threads gop-lookahead
            hash hdr hdr-opt hdr10 hdr10-opt hevc-aq high-tier hist-scenecut hist-threshold hme hme-range hme-search
            hrd hrd-concat idr-recovery-sei info intra-refresh ip-factor ipratio keyint level level-idc lft limit-modes
            limit-refs limit-sao limit-tu log log-level log2-max-poc-lsb lookahead-slices lookahead-threads lossless
            lowpass-dct masking-strength master-display max-ausize-factor max-cll max-luma max-merge max-tu-size
            max-vbv-fullness me merange min-cu-size min-keyint min-luma min-vbv-fullness nr-inter nr-intra
            numa-pools open-gop opt-cu-delta-qp opt-qp-pps opt-ref-list-length-pps overscan pb-factor pbratio pic-struct
            pme pmode pools psnr psy-rd psy-rdoq qblur qcomp qg-size qp qp-adaptation-range qpmax qpmin qpstep radl
            range rc-grain rc-lookahead rd rd-refine rdoq rdoq-level rdpenalty rect ref repeat-headers rskip
            rskip-edge-threshold sao sao-non-deblock sar scenecut scenecut-aware-qp scenecut-bias selective-sao signhide
            single-sei slices slow-firstpass splitrd-skip ssim ssim-rd strict-cbr strong-intra-smoothing subme
            temporal-layers temporal-mvp transfer tskip tskip-fast tu-inter-depth tu-intra-depth uhd-bd vbv-bufsize
            vbv-end vbv-end-fr-adj vbv-init vbv-live-multi-pass vbv-maxrate videoformat vui-hrd-info vui-timing-info
            weightb weightp wpp zones
            """),
        values: ["scaling-list": ["off", "default"]],
        refused: refusals(
            ("pass stats slow-firstpass-stats", statistics),
            ("multi-pass-opt-analysis multi-pass-opt-distortion multi-pass-opt-rps", statistics),
            (
                """
                analysis-save analysis-load analysis-reuse-file analysis-reuse-mode analysis-reuse-level
                analysis-save-reuse-level analysis-load-reuse-level refine-analysis-type refine-ctu-distortion
                refine-inter refine-intra refine-mv scale-factor dynamic-refine ctu-info
                """, "it is for an analysis kept in a file"),
            ("lambda-file qpfile zonefile dhdr10-info dhdr10-opt dolby-vision-rpu nalu-file film-grain aom-film-grain input", reads),
            ("csv csv-log-level recon output", writes),
            ("input-res input-csp input-depth output-depth field interlace copy-pic total-frames frames", geometry)))

    /// svt_av1_enc_parse_parameter (1.4).
    static let svtav1 = EncoderParameters(
        library: "SVT-AV1",
        harmless: names(
            """
            keyint tbr mbr crf rc profile irefresh-type sframe-mode asm mastering-display content-light
            chroma-sample-position color-primaries transfer-characteristics matrix-coefficients color-range
            qindex-offsets chroma-qindex-offsets qp film-grain film-grain-denoise hierarchical-levels tier level lp
            fps-num fps-denom lookahead scd max-qp min-qp bias-pct minsection-pct maxsection-pct undershoot-pct
            overshoot-pct mbr-overshoot-pct recode-loop scm pred-struct enable-tpl-la aq-mode superres-mode
            superres-qthres superres-kf-qthres superres-denom superres-kf-denom tune resize-mode resize-denom
            resize-kf-denom qm-min qm-max use-fixed-qindex-offsets gop-constraint-rc buf-initial-sz buf-optimal-sz
            buf-sz key-frame-chroma-qindex-offset key-frame-qindex-offset luma-y-dc-qindex-offset
            chroma-u-dc-qindex-offset chroma-u-ac-qindex-offset chroma-v-dc-qindex-offset chroma-v-ac-qindex-offset
            enable-cdef enable-restoration enable-mfmv intra-period tile-rows tile-columns sframe-dist preset enable-dlf
            rmv enable-tf enable-overlays enable-hdr fast-decode enable-force-key-frames enable-qm enable-variance-boost
            variance-boost-strength variance-octile sharpness
            """),
        refused: refusals(
            ("pass passes stats two-pass", statistics), ("config use-q-file qpfile roi-map-file fgs-table", reads),
            ("output recon errlog stat-report enable-stat-report stat-file", writes),
            (
                "width height forced-max-frame-width forced-max-frame-height input-depth color-format compressed-ten-bit-format",
                geometry)))

    /// libaom's aom_codec_set_option (3.6).
    static let aom = EncoderParameters(
        library: "libaom",
        harmless: names(
            """
            cpu-used auto-alt-ref noise-sensitivity sharpness static-thresh row-mt tile-columns tile-rows
            enable-tpl-model enable-keyframe-filtering arnr-maxframes arnr-strength tune cq-level max-intra-rate
            max-inter-rate gf-cbr-boost lossless enable-cdef enable-restoration enable-rect-partitions
            enable-ab-partitions enable-1to4-partitions min-partition-size max-partition-size enable-dual-filter
            enable-chroma-deltaq enable-intra-edge-filter enable-order-hint enable-tx64 enable-flip-idtx
            enable-rect-tx enable-dist-wtd-comp enable-masked-comp enable-onesided-comp enable-interintra-comp
            enable-smooth-interintra enable-diff-wtd-comp enable-interinter-wedge enable-interintra-wedge
            enable-global-motion enable-warped-motion enable-filter-intra enable-smooth-intra enable-paeth-intra
            enable-cfl-intra enable-directional-intra enable-diagonal-intra force-video-mode enable-obmc enable-overlay
            enable-palette enable-intrabc enable-angle-delta disable-trellis-quant enable-qm qm-min qm-max
            reduced-tx-type-set use-intra-dct-only use-inter-dct-only use-intra-default-tx-only quant-b-adapt
            coeff-cost-upd-freq mode-cost-upd-freq mv-cost-upd-freq dv-cost-upd-freq num-tile-groups mtu-size timing-info
            film-grain-test denoise-noise-level denoise-block-size enable-dnl-denoising enable-ref-frame-mvs
            frame-parallel error-resilient aq-mode deltaq-mode deltaq-strength delta-lf-mode frame-boost
            min-gf-interval max-gf-interval gf-min-pyr-height gf-max-pyr-height max-reference-frames
            reduced-reference-set target-seq-level-idx set-tier-mask min-cr color-primaries transfer-characteristics
            matrix-coefficients chroma-sample-position tune-content cdf-update-mode sb-size enable-tx-size-search
            loopfilter-control vbr-corpus-complexity-lap sframe-dist sframe-mode skip-postproc-filtering
            enable-fwd-kf strict-level-conformance kf-max-pyr-height auto-intra-tools-off fp-mt
            """),
        refused: refusals(
            ("film-grain-table vmaf-model-path fpf second-pass-log subgop-config-path rate-distribution-info", reads),
            ("partition-info-path", writes), ("pass passes", statistics)))

    /// rav1e_config_parse.
    static let rav1e = EncoderParameters(
        library: "rav1e",
        harmless: names(
            """
            speed threads tiles tile_rows tile_cols tune quantizer min_quantizer bitrate key_frame_interval
            min_key_frame_interval switch_frame_interval reservoir_frame_delay rdo_lookahead_frames low_latency
            enable_timing_info still_picture error_resilient
            """),
        refused: refusals(("width height", geometry)))

    static let vpxTemporalScaling = EncoderParameters(
        library: "libvpx",
        harmless: names(
            "ts_number_layers ts_target_bitrate ts_rate_decimator ts_periodicity ts_layer_id ts_layering_mode"), refused: [:])

    /// kvz_config_parse.
    static let kvazaar = EncoderParameters(
        library: "kvazaar",
        harmless: names(
            """
            preset qp period vps-period ref deblock sao signhide subme rd rdoq rdoq-skip mv-rdo me me-steps
            transform-skip smp amp bipred cu-split-termination intra-rdo-et early-skip full-intra-search gop open-gop
            bitrate rc-algorithm hash level force-level high-tier tiles slices wpp owf threads lossless tr-depth-intra
            pu-depth-intra pu-depth-inter max-merge implicit-rdpcm fast-residual-cost set-qp-in-cu intra-bits clip-neighbour
            """),
        refused: refusals(
            ("cqmfile scaling-list roi fast-coeff-table input", reads),
            ("stats-file-prefix fastrd-sampling-outdir fastrd-accuracy-check output debug", writes),
            ("width height input-res input-fps input-bitdepth input-format", geometry)))
}
