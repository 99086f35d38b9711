"""Credentials in files; streams, consumers and buckets on a real server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from signalbox.contracts.subjects import STREAMS
from signalbox.runtime.provision.files import (
    MAX_PAYLOAD,
    prepare,
    public_keys,
    read_credentials,
    renew_server_config,
    write_server_config,
)
from signalbox.runtime.provision.streams import (
    ProvisioningFailed,
    drift,
    provision_streams,
    stream_settings,
)
from signalbox.runtime.secrets import SecretBox, seal
from signalbox.runtime.topology import BUCKETS, CONSUMERS, SERVICES
from signalbox.testing.servers import RunningNats


def _files(home: Path) -> dict[str, str]:
    return {str(p.relative_to(home)): p.read_text() for p in home.rglob("*") if p.is_file()}


def test_credentials_are_private_and_a_rerun_keeps_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert prepare(home)
    before = _files(home)
    for path in (home, *home.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert prepare(home) == []
    assert _files(home) == before


def test_a_new_user_is_added_beside_the_old_ones(tmp_path: Path) -> None:
    prepare(tmp_path)
    before = _files(tmp_path)
    (tmp_path / "credentials" / "executor.json").unlink()
    assert len(prepare(tmp_path)) == 1
    after = _files(tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"credentials/executor.json", "credentials/public-keys.json"}


def test_the_users_of_a_server_are_renewed_and_its_place_stays(tmp_path: Path) -> None:
    prepare(tmp_path)
    renew_server_config(tmp_path)
    path = tmp_path / "nats" / "nats.conf"
    assert json.loads(path.read_text())["listen"] == "127.0.0.1:4222"
    store = tmp_path / "elsewhere"
    write_server_config(tmp_path, listen="0.0.0.0:4333", store=store, sync_interval="1s")
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "max_payload": 1, "accounts": {}}))
    renew_server_config(tmp_path)
    renewed = json.loads(path.read_text())
    assert [renewed[name] for name in ("listen", "max_payload")] == ["0.0.0.0:4333", MAX_PAYLOAD]
    assert renewed["accounts"]["SB"]["users"] == written["accounts"]["SB"]["users"]
    assert renewed["jetstream"]["store_dir"] == str(store)
    assert renewed["jetstream"]["sync_interval"] == "1s"
    path.write_text("listen: 4222 # by hand")
    renew_server_config(tmp_path)
    assert path.read_text() == "listen: 4222 # by hand"


def test_credentials_that_others_could_read_are_closed_and_reported(tmp_path: Path) -> None:
    prepare(tmp_path)
    path = tmp_path / "credentials" / "executor.json"
    path.chmod(0o644)
    said = prepare(tmp_path)
    assert "could be read by others (0644)" in said[0]
    assert path.stat().st_mode & 0o777 == 0o600


def test_passwords_are_long_and_all_different(tmp_path: Path) -> None:
    prepare(tmp_path)
    stored = [json.loads(p.read_text()) for p in (tmp_path / "credentials").glob("*.json")]
    passwords = [one["password"] for one in stored if "password" in one]
    assert len(set(passwords)) == len(passwords) >= 9
    assert min(map(len, passwords)) >= 43  # 256 bits


def test_only_services_have_keys_and_they_open_what_is_sealed_to_them(tmp_path: Path) -> None:
    prepare(tmp_path)
    keys = public_keys(tmp_path)
    assert set(keys) == set(SERVICES)
    assert "private_key" not in read_credentials(tmp_path, "reader")
    sealed = seal(keys["executor"], config_id="a", field="key", plaintext="canary")
    box = SecretBox(read_credentials(tmp_path, "executor")["private_key"])
    assert box.open(sealed, config_id="a", field="key") == "canary"


def test_drift_ignores_what_the_server_leaves_out_and_a_larger_limit() -> None:
    wanted = stream_settings(STREAMS[0], replicas=1, most_bytes=1000)
    left_out = ("persist_mode", "filter_subject", "headers_only")
    found = {key: value for key, value in wanted.items() if key not in left_out}
    assert drift(wanted, found) == {}
    assert drift(wanted, {**found, "max_bytes": 2000}) == {}
    assert drift(wanted, {**found, "max_bytes": 500}) == {"max_bytes": 1000}
    assert drift(wanted, {**found, "discard": "old"}) == {"discard": "new"}


@pytest.mark.parametrize(
    ("stream", "discard", "persist", "kept"),
    [
        pytest.param("SIGNALS", "new", "default", True, id="money refuses rather than forgets"),
        pytest.param("STATE", "old", "default", True, id="state keeps the last of each subject"),
        pytest.param("MARKET", "old", "async", False, id="prices never tax trading with syncs"),
    ],
)
def test_stream_settings(stream: str, discard: str, persist: str, kept: bool) -> None:
    one = next(s for s in STREAMS if s.name == stream)
    settings = stream_settings(one, replicas=1, most_bytes=1 << 40)
    assert (settings["discard"], settings["persist_mode"]) == (discard, persist)
    assert settings["deny_delete"] is settings["deny_purge"] is kept
    assert settings["duplicate_window"] == 600 * 10**9
    assert stream_settings(one, replicas=3, most_bytes=1 << 40)["persist_mode"] == "default"


async def _api(nc: Client, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    raw = json.dumps(body).encode() if body else b""
    answer: dict[str, Any] = json.loads((await nc.request(f"$JS.API.{subject}", raw)).data)
    return answer


@pytest.mark.integration
async def test_everything_is_there_and_a_rerun_does_nothing(nats_server: RunningNats) -> None:
    nc = await nats_server.connect("provision")
    for stream in STREAMS:
        config = (await _api(nc, f"STREAM.INFO.{stream.name}"))["config"]
        assert (config["storage"], config["allow_direct"]) == ("file", True)
        assert config["max_msg_size"] == 256 * 1024
    for bucket in BUCKETS:
        config = (await _api(nc, f"STREAM.INFO.KV_{bucket}"))["config"]
        assert config["max_msgs_per_subject"] == (10 if bucket == "CONFIG" else 1)
    for consumer in CONSUMERS:
        config = (await _api(nc, f"CONSUMER.INFO.{consumer.stream}.{consumer.durable}"))["config"]
        assert config.get("priority_policy") == ("pinned_client" if consumer.pinned else None)
        assert (config["ack_policy"], config["max_deliver"]) == ("explicit", -1)
    stored = await (await nc.jetstream().key_value("KEYS")).get("executor")
    assert stored.value == public_keys(nats_server.home)["executor"].encode()
    await nc.close()
    report = await provision_streams(nats_server.home, nats_server.url)
    assert (report.done, report.problems) == ([], [])


@pytest.mark.integration
async def test_drift_is_corrected_without_losing_a_message(nats_server: RunningNats) -> None:
    nc = await nats_server.connect("provision")
    executor = await nats_server.connect("executor")
    await executor.jetstream().publish("sb.v1.orders.alpha.AAPL", b"{}")
    await executor.close()
    config = (await _api(nc, "STREAM.INFO.ORDERS"))["config"]
    await _api(nc, "STREAM.UPDATE.ORDERS", {**config, "discard": "old", "max_msgs": 5})
    found = (await _api(nc, "CONSUMER.INFO.SIGNALS.decision-router"))["config"]
    changed = {**found, "max_ack_pending": 1, "filter_subject": "sb.v1.signals.llm.>"}
    body = {"stream_name": "SIGNALS", "config": changed, "action": "update"}
    answer = await _api(nc, "CONSUMER.CREATE.SIGNALS.decision-router.sb.v1.signals.llm.>", body)
    assert "error" not in answer, answer

    report = await provision_streams(nats_server.home, nats_server.url)
    assert report.problems == []
    assert len(report.done) == 2
    assert any("ORDERS" in line and "discard should be 'new'" in line for line in report.done)
    after = await _api(nc, "STREAM.INFO.ORDERS")
    assert (after["config"]["discard"], after["config"]["max_msgs"]) == ("new", -1)
    assert after["state"]["messages"] == 1
    consumer = (await _api(nc, "CONSUMER.INFO.SIGNALS.decision-router"))["config"]
    assert consumer["max_ack_pending"] == 5000
    assert "filter_subject" not in consumer
    await nc.close()


@pytest.mark.integration
async def test_what_cannot_be_changed_in_place_is_said(nats_server: RunningNats) -> None:
    nc = await nats_server.connect("provision")
    await _api(nc, "STREAM.DELETE.OUTCOMES")
    body = {
        "name": "OUTCOMES",
        "subjects": ["sb.v1.outcomes.>"],
        "storage": "memory",
        "retention": "limits",
    }
    assert "error" not in await _api(nc, "STREAM.CREATE.OUTCOMES", body)
    await nc.close()
    report = await provision_streams(nats_server.home, nats_server.url)
    assert "OUTCOMES" in report.problems[0]
    assert "cannot be changed in place" in report.problems[0]


@pytest.mark.integration
async def test_a_missing_stream_and_consumer_are_made_again(nats_server: RunningNats) -> None:
    nc = await nats_server.connect("provision")
    await _api(nc, "STREAM.DELETE.VERDICTS")
    await _api(nc, "CONSUMER.DELETE.SIGNALS.decision-router")
    report = await provision_streams(nats_server.home, nats_server.url)
    assert set(report.done) == {
        "made stream VERDICTS",
        "made consumer SIGNALS.decision-router",
        "made consumer VERDICTS.executor",
        "made consumer VERDICTS.gateway",
    }
    await nc.close()


@pytest.mark.integration
def test_streams_survive_a_kill(nats_server: RunningNats) -> None:
    async def say() -> None:
        nc = await nats_server.connect("executor")
        for number in range(20):
            await nc.jetstream().publish("sb.v1.orders.alpha.AAPL", str(number).encode())
        await nc.close()

    async def count() -> int:
        nc = await nats_server.connect("provision")
        state = (await _api(nc, "STREAM.INFO.ORDERS"))["state"]
        await nc.close()
        return int(state["messages"])

    asyncio.run(say())
    nats_server.restart()
    assert asyncio.run(count()) == 20


@pytest.mark.integration
async def test_a_server_without_our_users_is_explained(nats_server: RunningNats) -> None:
    path = nats_server.home / "credentials" / "provision.json"
    login = json.loads(path.read_text())
    path.write_text(json.dumps({**login, "password": "wrong"}))
    with pytest.raises(ProvisioningFailed, match=r"does not let user provision in.*nats\.conf"):
        await provision_streams(nats_server.home, nats_server.url)
