"""Results as Markdown: the goals, then a table a case. `python3 -m bench.report FILE.json` prints it again,
with `--into RESULTS.md` it replaces the tables there. Of several files the later ones' cases stand for the
earlier ones' of that name."""
import argparse
import json
import pathlib
import statistics

from bench.figures import Case, Growth, Sample
from bench.goals import verdicts

# Numbers that samples note, and how they are shown.
NOTES = {
    "p50_us": "p50 {:.0f} µs", "p99_us": "p99 {:.0f} µs", "p999_us": "p99.9 {:.0f} µs", "max_us": "max {:.0f} µs",
    "p50_ms": "p50 {:.2f} ms", "p999_ms": "p99.9 {:.2f} ms", "max_ms": "max {:.2f} ms",
    "private_mb": "{:.2f} MB private a writer", "private_mb_max": "at most {:.2f} MB",
    "cores": "{:.2f} cores", "root_cores": "{:.2f} of them the gateway's", "client_cores": "client {:.2f} cores", "late": "{:.0f} late",
    "unanswered": "{:.0f} unanswered", "switches": "{:.2f} switches a piece", "output_p50_ms": "at …/output p50 {:.1f} ms",
    "output_p99_ms": "p99 {:.1f} ms", "output_max_ms": "max {:.1f} ms", "late_percent": "{:.2f} % late",
    "cpu_ms": "{:.2f} ms of CPU each", "output_bytes": "{:,.0f} bytes out",
}

# A sample during which others had more of the machine's CPU than this is worth little.
DISTURBED = 0.05


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def span(values):
    """The median, and what it lies between."""
    if not values:
        return "–"
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def _by_role(samples, field):
    """Client and subject apart, each the median over rounds."""
    roles = {}
    for sample in samples:
        for role, value in getattr(sample, field).items():
            roles.setdefault("client" if role == "client" else "subject", []).append(value)
    return [number(statistics.median(roles[role])) if role in roles else "–" for role in ("client", "subject")]


def _notes(samples):
    shown = [text.format(statistics.median([sample.notes[name] for sample in samples]))
             for name, text in NOTES.items() if all(name in sample.notes for sample in samples)]
    return ", ".join(shown)


def case_table(case):
    first = next(iter(case.samples))
    better = "more" if case.more_is_better else "less"
    lines = [f"### {case.name}", "", *[f"{remark}." for remark in case.remarks], *[""] * bool(case.remarks),
             f"| | {case.unit} ({better} is better) | {first} ÷ it | CPU s client | CPU s subject | MB client | MB subject | |",
             "|---|---|---|---|---|---|---|---|"]
    for name, samples in case.samples.items():
        ratio = "" if name == first else span(case.ratios(name, first))
        cells = [name, span(case.values(name)), ratio, *_by_role(samples, "cpu"), *_by_role(samples, "memory"), _notes(samples)]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [f"| {name} | missing: {reason} |" + " |" * 6 for name, reason in case.missing.items()]
    return "\n".join(lines)


def growth_table(series):
    lines = ["### How cost grows", "", "The exponent is 1 where cost is linear, less where a fixed part weighs.", "",
             "| doubled | measured | sizes: medians | exponent | of the last doubling |", "|---|---|---|---|---|"]
    for growth in series:
        pairs = ", ".join(f"{size:,}: {number(cost)}" for size, cost in zip(growth.costs, growth.medians()))
        lines.append(f"| {growth.name} | {growth.unit} | {pairs} | {growth.exponent():.2f} | {growth.last_doubling():.2f} |")
    return "\n".join(lines)


def goals_table(results):
    lines = ["### Goals", "", "| goal | measured | |", "|---|---|---|"]
    return "\n".join(lines + [f"| {one.goal} | {one.figure} | {'met' if one.met else '**not met**'} |" for one in verdicts(results)])


def quietness(results):
    """How much of the machine others had while samples were taken."""
    shares = [sample.others for case in results.values() if isinstance(case, Case)
              for samples in case.samples.values() for sample in samples if sample.others is not None]
    if not shares:
        return ""
    disturbed = sum(share > DISTURBED for share in shares)
    return (f"Other programs had {statistics.median(shares):.0%} of the CPU while a sample was taken (median); in {disturbed} of "
            f"{len(shares)} samples more than {DISTURBED:.0%}.")


def heading(run):
    machine = run["machine"]
    return (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}. "
            f"{run['rounds']} rounds, {run['date']}, commit {run['commit']}, load before the run {run['load']:.1f}.")


def merged(runs):
    """The first run with the cases of the others in place of its own; each of those says where it is from."""
    first, *others = runs
    for run in others:
        for result in run["results"].values():
            if isinstance(result, Case):
                elsewhere = "" if run["machine"] == first["machine"] else f", on another machine ({run['machine']['cpu']})"
                result.remarks.append(f"Measured apart, {run['date']}, at commit {run['commit']}, {run['rounds']} rounds{elsewhere}")
        first["results"].update(run["results"])
    return first


def whole(run):
    """`run` is what `saved` reads."""
    results = run["results"]
    lines = [heading(run), quietness(results), "", "Peers: " + "; ".join(f"{name} {version}" for name, version in run["versions"].items()) + ".", ""]
    lines += [goals_table(results), ""]
    lines += [f"{case_table(case)}\n" for case in results.values() if isinstance(case, Case)]
    series = [growth for growth in results.values() if isinstance(growth, Growth)]
    lines += [growth_table(series)] if series else []
    lines += [f"{name} failed: {reason}" for name, reason in run["failures"].items()]
    return "\n".join(lines)


def saved(path):
    """A run as it was written, its cases as values again."""
    with open(path) as file:
        run = json.load(file)
    run["results"] = {one["name"]: _revived(one) for one in run["results"]}
    return run


def _revived(one):
    if "costs" in one:
        return Growth(one["name"], one["unit"], {int(size): costs for size, costs in one["costs"].items()})
    samples = {name: [Sample(**sample) for sample in samples] for name, samples in one["samples"].items()}
    return Case(**{**one, "samples": samples})


def write_into(path, tables):
    """Replaces what follows the marker line in a Markdown file."""
    marker = "<!-- tables -->"
    text = path.read_text()
    if marker not in text:
        raise SystemExit(f"{path} has no line {marker}")
    path.write_text(text.partition(marker)[0] + marker + "\n\n" + tables + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python3 -m bench.report", description=__doc__)
    parser.add_argument("files", nargs="+", help="kept runs, the first a whole one")
    parser.add_argument("--into", type=pathlib.Path, help="a Markdown file whose tables are replaced")
    chosen = parser.parse_args()
    shown = whole(merged([saved(path) for path in chosen.files]))
    if chosen.into:
        write_into(chosen.into, shown)
    else:
        print(shown)
