"""Finding, starting and stopping the embedded server."""

import json
import os
import socket
from pathlib import Path

import pytest

from signalbox.contracts.errors import InvariantBroken
from signalbox.runtime import natsserver
from signalbox.runtime.natsserver import NatsServer, NoServer, claim_store, find_binary, is_free
from signalbox.runtime.provision.files import prepare
from signalbox.testing.servers import RunningNats


def _pretend(folder: Path, version: str) -> None:
    folder.mkdir()
    script = folder / "nats-server"
    script.write_text(f"#!/bin/sh\necho 'nats-server: v{version}'\n")
    script.chmod(0o755)


def test_a_new_enough_server_on_path_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(tmp_path / "bin", "2.14.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_binary().path == tmp_path / "bin" / "nats-server"


@pytest.mark.parametrize("version", ["2.13.9", "1.99.0", "nonsense"])
def test_an_old_server_on_path_gives_way_to_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _pretend(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = find_binary()
    assert found.path.parent != tmp_path / "bin"
    assert found.version >= (2, 14, 0)
    assert len(found.digest) == 64


def test_no_server_at_all_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(tmp_path / "bin", "2.9.1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(natsserver, "_WHEEL", "no-such-distribution")
    with pytest.raises(NoServer, match=r"is 2\.9\.1.*SIGNALBOX_NATS_URL"):
        find_binary()


@pytest.mark.integration
def test_it_starts_on_another_port_when_the_usual_one_is_taken(tmp_path: Path) -> None:
    prepare(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert not is_free(taken)
        server = NatsServer.start(tmp_path, port=taken)
    try:
        assert server.port != taken
        assert (tmp_path / "nats" / "url").read_text().strip() == server.url
    finally:
        server.stop()
    assert server.process.returncode == 0


@pytest.mark.integration
def test_configuration_is_private_on_loopback_and_syncs_always(nats_server: RunningNats) -> None:
    path = nats_server.home / "nats" / "nats.conf"
    assert path.stat().st_mode & 0o777 == 0o600
    config = json.loads(path.read_text())
    assert config["listen"].startswith("127.0.0.1:")
    assert config["jetstream"]["sync_interval"] == "always"
    assert "http" not in config
    free = os.statvfs(nats_server.home)
    assert config["jetstream"]["max_file_store"] < free.f_bavail * free.f_frsize


@pytest.mark.integration
def test_a_second_server_on_the_same_store_is_refused(nats_server: RunningNats) -> None:
    with pytest.raises(InvariantBroken, match="still runs"):
        claim_store(nats_server.home, patience_s=0.05)
    nats_server.server.kill()
    claim_store(nats_server.home, patience_s=5).close()


@pytest.mark.integration
def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    prepare(tmp_path)
    store = tmp_path / "nats" / "store"
    store.write_text("in the way")
    with pytest.raises(NoServer, match=r"(?s)does not answer.*Can't start JetStream"):
        NatsServer.start(tmp_path, port=0)
