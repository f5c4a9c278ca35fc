internal import CLibav

/// A frame rate or a time base, as libav counts it.
package struct Fraction: Sendable, Hashable {
    package let numerator: Int32
    package let denominator: Int32

    package var doubleValue: Double { Double(numerator) / Double(denominator) }

    package init(_ numerator: Int32, _ denominator: Int32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    init(_ rational: AVRational) {
        self.init(rational.num, rational.den)
    }

    /// The nearest fraction whose terms are at most `limit`.
    package init(nearest value: Double, limit: Int32 = 1_001_000) {
        self.init(av_d2q(value, limit))
    }

    package var inverse: Fraction { Fraction(denominator, numerator) }
    package var isPositive: Bool { numerator > 0 && denominator > 0 }

    var rational: AVRational { AVRational(num: numerator, den: denominator) }

    /// `ticks` of this time base counted in another, rounded to the nearest.
    package func rescale(_ ticks: Int64, to other: Fraction) -> Int64 {
        av_rescale_q(ticks, rational, other.rational)
    }

    /// Whether `ticks` of this time base last less than one of another.
    package func isShorter(_ ticks: Int64, thanTickOf other: Fraction) -> Bool { av_compare_ts(ticks, rational, 1, other.rational) < 0 }

    /// The index of the fraction in `list` nearest to this one.
    package func nearest(in list: [Fraction]) -> Int? {
        list.indices.min { a, b in
            av_nearer_q(rational, list[a].rational, list[b].rational) > 0
        }
    }
}
