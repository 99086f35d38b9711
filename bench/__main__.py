"""`make bench`: the money path and ingestion beside their floors, in pairs, with the ratios of
medians, and what a language model's call costs beside the model. `python -m bench money`,
`ingestion` or `llm` measures one of them. Ends with 1 where something is beyond its limit.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence

import uvloop

from bench import ingestion, llm
from bench.load import Latency, Sink, Throughput, latency, throughput
from bench.stack import stack

SYNCS = {"always": "always", "default": "2m"}
PARTS = ("money", "ingestion", "llm")
LIMITS = {"overhead_p50": llm.WANTED_MS, "grown_mb": ingestion.MOST_GROWN_MB}


def arguments() -> argparse.Namespace:
    """What to measure; the defaults are the whole bench."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["all", *PARTS], default="all")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--signals", type=int, default=20_000)
    parser.add_argument("--sync", choices=[*SYNCS, "both"], default="both")
    parser.add_argument("--calls", type=int, default=200, help="calls of a language model")
    parser.add_argument("--insights", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="signals/s for latency")
    return parser.parse_args()


async def measure(side: str, sync: str, asked: argparse.Namespace) -> tuple[Throughput, Latency]:
    """One side once: full speed, then a steady rate."""
    async with stack(side, SYNCS[sync]) as running:
        sink = Sink()
        await sink.start(running)
        slow = await latency(running, sink, int(asked.rate * 10), asked.rate)
        fast = await throughput(running, sink, asked.signals)
    return fast, slow


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def median(values: Sequence[float]) -> float:
    """The middle of what was measured."""
    return statistics.median(values)


def cpu(run: Throughput, *names: str) -> float:
    """CPU microseconds per signal of some processes, or of all."""
    return sum(run.cpu_us[name] for name in (names or run.cpu_us))


def report(
    sync: str, ours: list[tuple[Throughput, Latency]], floor: list[tuple[Throughput, Latency]]
) -> str:
    """The table of one setting; returns its JSON line."""
    say(f"\nsync_interval {sync}: medians of {len(ours)} pairs")
    say(
        f"{'':24}{'signals/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'nats':>8}{'router':>8}{'executor':>9}"
    )
    for name, runs in (("signalbox", ours), ("floor", floor)):
        row = [median([f.per_s for f, _ in runs]), median([s.p50 for _, s in runs]),
               median([s.p99 for _, s in runs])]  # fmt: skip
        cost = [
            median([cpu(f, p) for f, _ in runs]) for p in ("nats", "decision-router", "executor")
        ]
        say(
            f"{name:24}{row[0]:12.0f}{row[1]:9.2f}{row[2]:9.2f}{cost[0]:8.0f}{cost[1]:8.0f}{cost[2]:9.0f}"
        )
    ratio = median([o.per_s / f.per_s for (o, _), (f, _) in zip(ours, floor, strict=True)])
    ratio_cpu = median([cpu(f) / cpu(o) for (o, _), (f, _) in zip(ours, floor, strict=True)])
    for name, runs in (("signalbox", ours), ("floor", floor)):
        last = runs[-1][0]
        published, commits = sum(last.messages.values()), last.rows["commits"]
        synced = commits + (published if sync == "always" else 0)
        rows = ", ".join(f"{k} {v:.2f}" for k, v in last.rows.items() if k != "commits")
        memory = ", ".join(f"{k} {v:.0f}" for k, v in last.resident_mb.items())
        say(
            f"per signal, {name}: {published:.2f} messages, rows: {rows}; {commits:.3f} commits,"
            f" {synced:.2f} fsyncs (one a commit, one a message when always); MB: {memory}"
        )
    say(f"ratio {ratio:.2f} (signals/s), {ratio_cpu:.2f} (CPU)")
    line = {
        "sync": sync,
        "per_s": round(median([f.per_s for f, _ in ours]), 1),
        "p50": round(median([s.p50 for _, s in ours]), 3),
        "p99": round(median([s.p99 for _, s in ours]), 3),
        "cpu_us": {p: round(median([cpu(f, p) for f, _ in ours]), 1) for p in ours[0][0].cpu_us},
        "ratio": round(ratio, 3),
        "ratio_cpu": round(ratio_cpu, 3),
    }
    return json.dumps(line)


def beyond(line: str) -> list[str]:
    """What a JSON line says that is beyond its limit, in words."""
    found = json.loads(line)
    return [
        f"{name} is {found[name]}, beyond {most:g}"
        for name, most in LIMITS.items()
        if found.get(name, most) > most
    ]


async def main() -> int:
    """Pairs in turn, so that a slow minute of the machine hits both sides."""
    asked = arguments()
    syncs = list(SYNCS) if asked.sync == "both" else [asked.sync]
    parts = PARTS if asked.what == "all" else (asked.what,)
    lines = await money(asked, syncs) if "money" in parts else []
    if "ingestion" in parts:
        for sync in syncs:
            lines.append(await ingestion.report(sync, SYNCS[sync], asked.pairs, asked.insights))
    if "llm" in parts:
        lines.append(await llm.report(asked.calls))
    for line in lines:
        say(line)
    missed = [words for line in lines for words in beyond(line)]
    for words in missed:
        say(words)
    return 1 if missed else 0


async def money(asked: argparse.Namespace, syncs: Sequence[str]) -> list[str]:
    """The money path under each setting: its JSON lines."""
    lines = []
    for sync in syncs:
        ours: list[tuple[Throughput, Latency]] = []
        floor: list[tuple[Throughput, Latency]] = []
        for pair in range(asked.pairs):
            for side, runs in (("ours", ours), ("floor", floor)):
                start = time.perf_counter()
                runs.append(await measure(side, sync, asked))
                fast, slow = runs[-1]
                say(f"{sync} pair {pair + 1}/{asked.pairs} {side}: {fast.per_s:.0f}/s,"
                    f" p50 {slow.p50:.2f} ms, p99 {slow.p99:.2f} ms"
                    f" ({time.perf_counter() - start:.0f} s)")  # fmt: skip
        lines.append(report(sync, ours, floor))
    return lines


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
