"""A secret opens for its owner, in its own place, and nowhere else."""

import json
import logging

import pytest
from prometheus_client import REGISTRY

from signalbox.contracts.errors import PermanentError
from signalbox.runtime.logs import JsonLines
from signalbox.runtime.secrets import NoBox, SecretBox, new_key_pair, seal

PRIVATE, PUBLIC = new_key_pair()
SEALED = seal(PUBLIC, config_id="demo", field="token", plaintext="canary")


def test_the_owner_opens_what_was_sealed_for_it() -> None:
    assert SecretBox(PRIVATE).open(SEALED, config_id="demo", field="token") == "canary"
    assert "canary" not in SEALED


@pytest.mark.parametrize("place", [("other", "token"), ("demo", "secret")])
def test_a_blob_copied_to_another_row_does_not_open(place: tuple[str, str]) -> None:
    with pytest.raises(PermanentError, match="another place"):
        SecretBox(PRIVATE).open(SEALED, config_id=place[0], field=place[1])


@pytest.mark.parametrize("sealed", [SEALED[:-8], "", "!", SEALED[::-1]])
def test_a_damaged_blob_does_not_open_and_is_counted(sealed: str) -> None:
    before = REGISTRY.get_sample_value("signalbox_secret_decrypt_failures_total") or 0
    with pytest.raises(PermanentError):
        SecretBox(PRIVATE).open(sealed, config_id="demo", field="token")
    assert REGISTRY.get_sample_value("signalbox_secret_decrypt_failures_total") == before + 1


def test_another_service_does_not_open_it() -> None:
    with pytest.raises(PermanentError):
        SecretBox(new_key_pair()[0]).open(SEALED, config_id="demo", field="token")
    with pytest.raises(PermanentError, match="no key"):
        NoBox().open(SEALED, config_id="demo", field="token")


def test_a_box_prints_nothing() -> None:
    assert repr(SecretBox(PRIVATE)) == "SecretBox(***)"


@pytest.mark.parametrize(
    "text",
    [
        "key sk-ant-abcdefghijklmnop",
        "Authorization: Basic MTIzOmFiY2RlZmdoaWprbA==",
        "Bearer abcdefghijklmnop",
        "postgresql+psycopg://sb:hunter22@db/x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
    ],
)
def test_logs_redact_what_looks_like_a_secret(text: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, text, (), None)
    record.api_key = "plain"
    line = json.loads(JsonLines("test").format(record))
    assert "***" in line["message"]
    assert line["api_key"] == "***"
    for secret in ("abcdefgh", "MTIz", "hunter22", "eyJ"):
        assert secret not in json.dumps(line)


def test_logs_keep_a_record_on_one_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "first\nsecond\x1b[31m", (), None)
    assert "\n" not in JsonLines("test").format(record)
