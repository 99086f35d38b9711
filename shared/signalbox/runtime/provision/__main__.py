"""`python -m signalbox.runtime.provision files|streams|all`: run it before the services start.

A rerun keeps what is there and corrects what differs.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from signalbox.contracts.errors import SignalboxError
from signalbox.runtime.bus import server_url
from signalbox.runtime.provision.files import DEFAULT_LISTEN, prepare, write_server_config
from signalbox.runtime.provision.streams import provision_streams
from signalbox.runtime.settings import ServiceSettings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m signalbox.runtime.provision", description=__doc__
    )
    parser.add_argument("what", choices=("files", "streams", "all"))
    parser.add_argument("--listen", default=DEFAULT_LISTEN, help="address in nats.conf")
    parser.add_argument("--store", type=Path, help="where the server keeps its streams")
    parser.add_argument("--sync-interval", default="always", help="always, or a time such as 1s")
    parser.add_argument("--replicas", type=int, default=1, help="copies of every stream")
    return parser.parse_args()


def main() -> int:
    """Run, say what was done, and fail when something could not be put right."""
    arguments, settings = _arguments(), ServiceSettings()
    home, said, problems = settings.home, list[str](), list[str]()
    try:
        if arguments.what in {"files", "all"}:
            said += prepare(home)
            write_server_config(
                home,
                listen=arguments.listen,
                store=arguments.store,
                sync_interval=arguments.sync_interval,
            )
        if arguments.what in {"streams", "all"}:
            url = server_url(home, settings.nats_url)
            report = asyncio.run(provision_streams(home, url, replicas=arguments.replicas))
            said, problems = said + report.done, report.problems
    except (SignalboxError, OSError) as error:
        problems.append(str(error))
    sys.stdout.write("".join(f"{line}\n" for line in said or ["nothing to do"]))
    sys.stderr.write("".join(f"{line}\n" for line in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
