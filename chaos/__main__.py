"""`make chaos`: signals flow while processes are killed, then the books must agree."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from chaos.documents import Documents
from chaos.invariants import check
from chaos.rest import signed_in
from chaos.storm import CORE, EVERYTHING, Outcome, Plan, Storm
from chaos.system import System
from chaos.voices import voices_in

_PASSWORD = "chaos-chaos-chaos"  # noqa: S105 - of a system that lives for minutes, on loopback


def arguments() -> argparse.Namespace:
    """What to do; the defaults take about five minutes on two cores."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--signals", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only-core", action="store_true", help=f"kill only {', '.join(CORE)}")
    parser.add_argument("--database-url", help="PostgreSQL; unset: SQLite")
    parser.add_argument("--keep", action="store_true", help="keep the state directory")
    return parser.parse_args()


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def storm(system: System, plan: Plan) -> Outcome:
    """The run itself, on a system that is up."""
    documents = Documents()
    async with (
        voices_in(system.home) as voices,
        signed_in(lambda: system.url("gateway"), _PASSWORD) as gateway,
    ):
        await documents.follow(voices)
        return await Storm(system, gateway, voices, documents).run(plan, say)


def report(outcome: Outcome) -> bool:
    """A table of what happened and of every rule; whether all of them hold."""
    evidence = outcome.evidence
    if evidence is None:
        return False
    say("")
    for name, count in sorted(outcome.killed.items()):
        say(f"{'killed ' + name:46}{count:10}")
    longest = max(outcome.recoveries_s, default=0.0)
    say(f"{'recovery p95, longest, s':46}{outcome.p95_s:10.1f}{longest:8.1f}")
    say(f"{'quiet after, s':46}{outcome.heal_s:10.1f}")
    say(f"{'publishing rounds repeated':46}{outcome.repeats:10}")
    for name, found in evidence.streams.items():
        say(f"{'stored in ' + name:46}{len(found):10}")
    say(f"{'fills':46}{sum(1 for _ in evidence.fills()):10}")
    say("")
    results = check(evidence)
    for name, lines in results.items():
        say(f"{name.replace('_', ' '):60}{'ok' if not lines else 'BROKEN'}")
        for line in lines[:5]:
            say(f"    {line}")
    failed = sum(bool(lines) for lines in results.values())
    say(f"\n{len(results) - failed} passed, {failed} failed")
    return not failed


def main() -> int:
    """Run, report, clean up."""
    asked = arguments()
    say(f"seed {asked.seed}")
    home = Path(tempfile.mkdtemp(prefix="signalbox-chaos-"))
    environment = {"SIGNALBOX_ADMIN_PASSWORD": _PASSWORD}
    if asked.database_url:
        environment["SIGNALBOX_DATABASE_URL"] = asked.database_url
    system = System(home, environment)
    targets = CORE if asked.only_core else EVERYTHING
    plan = Plan(asked.signals, asked.kills, targets, asked.seed)
    good = False
    try:
        system.start()
        good = report(asyncio.run(storm(system, plan)))
    finally:
        system.stop()
        if good and not asked.keep:
            shutil.rmtree(home, ignore_errors=True)
        else:
            say(f"the state directory is {home}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
