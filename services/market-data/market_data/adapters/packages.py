"""Files inside installed packages, read without importing the package."""

import csv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from signalbox.contracts.errors import NotFound


def installed(name: str) -> Distribution:
    """An installed package.

    Raises:
        NotFound: it is not installed.
    """
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise NotFound(f"package {name} is not installed: it holds the replayed prices") from error


def csv_lines(package: Distribution, path: str) -> Iterator[list[str]]:
    """The lines of a CSV file of a package, without its header.

    Raises:
        NotFound: the package has no such file.
    """
    file = Path(str(package.locate_file(path)))
    if not file.is_file():
        raise NotFound(f"package {package.name} {package.version} has no file {path}")
    with file.open(newline="", encoding="utf-8") as opened:
        reader = csv.reader(opened)
        next(reader, None)
        yield from reader
