"""The object store."""

import hashlib
import io
import zipfile
from typing import Any

import pytest

from sandbox.quantconnect import objects
from sandbox.quantconnect.endpoints import ORGANIZATION_ID
from sandbox.tests.client import Client

OWN = {"organizationId": ORGANIZATION_ID}
BYTES = b"\x00\xff binary \r\n--boundary\r\n"


async def put(client: Client, key: str, content: bytes) -> dict[str, Any]:
    files = {"objectData": content}
    response = await client.raw("object/set", data=OWN | {"key": key}, files=files, json=None)
    found: dict[str, Any] = response.json()
    return found


async def test_what_was_stored_comes_back_in_a_zip(client: Client) -> None:
    given = {"a/one.bin": BYTES, "a/b/two.txt": b"two", "ab": b"not asked for", "three": b"3"}
    for key, content in given.items():
        assert (await put(client, key, content))["success"]
    job = await client.good("object/get", **OWN, keys=["a", "three"])
    assert job["url"] == ""
    url = (await client.good("object/get", **OWN, jobId=job["jobId"]))["url"]
    assert url.startswith("http://sandbox/")
    packed = zipfile.ZipFile(io.BytesIO((await client.http.get(url)).content))
    assert {name: packed.read(name) for name in packed.namelist()} == {
        "a/one.bin": BYTES,
        "a/b/two.txt": b"two",
        "three": b"3",
    }


async def test_properties(client: Client) -> None:
    await put(client, "/notes/a.txt", b"hello")
    found = (await client.good("object/properties", **OWN, key="notes/a.txt"))["metadata"]
    assert found["md5"] == hashlib.md5(b"hello", usedforsecurity=False).hexdigest()
    assert (found["size"], found["mime"], found["preview"]) == (5, "text/plain", "hello")


async def test_directories_follow_from_keys(client: Client) -> None:
    for key in ("a/one", "a/b/two", "three"):
        await put(client, key, b"12")
    root = await client.good("object/list", **OWN)
    rows = [(o["key"], o["mime"], o["folder"], o["size"]) for o in root["objects"]]
    assert rows == [("/a", "directory", True, 0), ("/three", "text/plain", False, 2)]
    below = await client.good("object/list", **OWN, path="/a/")
    assert [o["key"] for o in below["objects"]] == ["/a/b", "/a/one"]
    assert (below["objectStorageUsed"], below["page"], below["totalPages"]) == (6, 1, 1)


async def test_deleting_a_directory_deletes_what_is_in_it(client: Client) -> None:
    for key in ("a/one", "ab", "a/b/two"):
        await put(client, key, b"1")
    await client.good("object/delete", **OWN, key="a")
    assert [*client.context.objects.objects] == ["ab"]


async def test_there_is_an_end_to_room(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MOST_BYTES", 10)
    await put(client, "a", b"12345678")
    assert "quota" in str((await put(client, "b", b"123"))["errors"])
    assert (await put(client, "a", b"1234567890"))["success"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("object/properties", {"key": "no"}, "Object not found"),
        ("object/properties", {"key": "a"}, "Object not found"),
        ("object/properties", {}, "key is required"),
        ("object/delete", {"key": "no"}, "Object not found"),
        ("object/get", {"keys": ["no"]}, "Object not found"),
        ("object/get", {"keys": []}, "keys is required"),
        ("object/get", {"jobId": "no"}, "no such jobId"),
        ("object/set", {"key": "x"}, "objectData is required"),
        ("object/list", {"organizationId": ""}, "organizationId is required"),
        ("object/list", {"organizationId": "x"}, "Organization not found"),
    ],
)
async def test_bad_arguments(client: Client, path: str, body: dict[str, Any], says: str) -> None:
    await put(client, "a/one", b"1")
    assert says in await client.error(path, **(OWN | body))


async def test_no_one_guesses_a_download(client: Client) -> None:
    assert (await client.http.get("/api/v2/object/download/abc.zip")).status_code == 404


async def test_a_broken_form_is_a_failure(client: Client) -> None:
    kind = {"content-type": "multipart/form-data; boundary=x"}
    response = await client.raw("object/set", content=b"--y\r\nnonsense", json=None, headers=kind)
    assert response.json()["success"] is False
