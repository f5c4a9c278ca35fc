"""Samples, the cases they belong to, and the arithmetic on them."""
import dataclasses
import math
import statistics


@dataclasses.dataclass
class Sample:
    """One measurement of one subject. `value` is in the case's unit; CPU in seconds, memory in MB, by role."""

    value: float
    cpu: dict = dataclasses.field(default_factory=dict)
    memory: dict = dataclasses.field(default_factory=dict)
    notes: dict = dataclasses.field(default_factory=dict)
    # The share of the machine's CPU that others used meanwhile; None where it was not measured.
    others: float | None = None

    @classmethod
    def of(cls, watch, value=None, **notes):
        return cls(watch.seconds if value is None else value, watch.cpu, watch.memory, notes, watch.others)


@dataclasses.dataclass
class Case:
    """Subjects measured in turn, doing the same. The first subject is Penstock, or what stands for it."""

    name: str
    unit: str
    more_is_better: bool
    samples: dict = dataclasses.field(default_factory=dict)
    # Subject → why it was not measured.
    missing: dict = dataclasses.field(default_factory=dict)
    remarks: list = dataclasses.field(default_factory=list)

    def values(self, subject):
        return [sample.value for sample in self.samples[subject]]

    def median(self, subject):
        return statistics.median(self.values(subject))

    def ratios(self, peer, subject="penstock"):
        """Penstock's value over the peer's, round by round."""
        return [ours / theirs for ours, theirs in zip(self.values(subject), self.values(peer)) if theirs]

    def ratio(self, peer, subject="penstock"):
        """The median of the rounds' ratios; None if either was not measured."""
        if not self.samples.get(peer) or not self.samples.get(subject):
            return None
        return statistics.median(self.ratios(peer, subject))

    def note(self, subject, name):
        """The median of a number that samples of the subject noted."""
        return statistics.median(sample.notes[name] for sample in self.samples[subject])


def exponent(sizes, costs):
    """b of the best a·size^b: 1 is linear. Least squares on the logarithms."""
    xs, ys = [math.log(size) for size in sizes], [math.log(max(cost, 1e-9)) for cost in costs]
    return statistics.linear_regression(xs, ys).slope


def fixed_and_each(sizes, costs):
    """a and b of the best a + b·size: what a request costs at all, and what each unit adds."""
    line = statistics.linear_regression(sizes, costs)
    return line.intercept, line.slope


@dataclasses.dataclass
class Growth:
    """The cost of one size after another. `costs` maps a size to what each round measured."""

    name: str
    unit: str
    costs: dict

    def medians(self):
        return [statistics.median(costs) for costs in self.costs.values()]

    def exponent(self):
        return exponent(list(self.costs), self.medians())

    def last_doubling(self):
        """The exponent between the two largest sizes, where fixed costs weigh least."""
        return exponent(list(self.costs)[-2:], self.medians()[-2:])
