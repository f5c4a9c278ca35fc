"""Measuring side by side: every round measures each subject once, and each round begins with another."""
import sys

from bench.figures import Case


def interleaved(case: Case, subjects, rounds):
    """Fills the case. `subjects` maps a name to a function that measures once and returns a Sample.

    A value that is a string instead is the reason why that subject is missing.
    """
    case.missing.update({name: what for name, what in subjects.items() if isinstance(what, str)})
    present = [name for name in subjects if name not in case.missing]
    case.samples = {name: [] for name in present}
    for turn in range(rounds):
        shift = turn % len(present)
        for name in present[shift:] + present[:shift]:
            sample = subjects[name]()
            case.samples[name].append(sample)
            print(f"  {case.name}  round {turn + 1}  {name}: {sample.value:.4g} {case.unit}", file=sys.stderr, flush=True)
    return case
