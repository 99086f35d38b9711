"""Projects, their files, their builds, and the nodes they may use."""

from typing import Any

import pytest

from sandbox.quantconnect import builds
from sandbox.quantconnect.desk import LIVE_NODES
from sandbox.quantconnect.endpoints import Pace
from sandbox.tests.client import AT, MOMENTUM, Client, signed

HEADERS = {"Authorization": signed(), "Timestamp": str(AT)}
PATCH = """--- a/main.py
+++ b/main.py
@@ -1,3 +1,4 @@
 one
-two
+deux
+dos
 three
@@ -5,2 +6,3 @@
 five
 six
+seven
"""


async def created(client: Client, name: str = "New", language: str = "Py") -> int:
    found = await client.good("projects/create", name=name, language=language)
    return int(found["projects"][0]["projectId"])


async def content(client: Client, project_id: int, name: str = "main.py") -> str:
    found = await client.good("files/read", projectId=project_id, name=name)
    return str(found["files"][0]["content"])


@pytest.mark.parametrize(
    ("language", "files"),
    [("Py", ["main.py", "research.ipynb"]), ("C#", ["Main.cs", "Research.ipynb"])],
)
async def test_a_new_project_holds_two_files(
    client: Client, language: str, files: list[str]
) -> None:
    project_id = await created(client, language=language)
    found = (await client.good("files/read", projectId=project_id))["files"]
    assert [f["name"] for f in found] == files
    assert (await client.good("compile/create", projectId=project_id))["state"] == "BuildSuccess"


async def test_a_taken_name_gets_a_number(client: Client) -> None:
    names = [
        (await client.good("projects/create", name="New", language="Py"))["projects"][0]["name"]
        for _ in range(3)
    ]
    assert names == ["New", "New 1", "New 2"]


async def test_update_as_the_official_client_sends_it(client: Client) -> None:
    project_id = await created(client)
    form = {
        "projectId": str(project_id),
        "name": "Other",
        "parameters[0][key]": "fast",
        "parameters[0][value]": "10",
        "files[0][name]": "main.py",
        "files[0][content]": "x = 1\n",
        "files[1][name]": "lib/b.py",
        "files[1][content]": "y = 2\n",
        "libraries[0]": str(MOMENTUM),
    }
    await client.raw("projects/update", data=form, json=None)
    found = (await client.good("projects/read", projectId=project_id))["projects"][0]
    assert (found["name"], found["parameters"]) == ("Other", [{"key": "fast", "value": "10"}])
    assert [library["projectId"] for library in found["libraries"]] == [MOMENTUM]
    assert await content(client, project_id, "lib/b.py") == "y = 2\n"
    cleared = {"projectId": str(project_id), "parameters": "", "libraries": ""}
    await client.raw("projects/update", data=cleared, json=None)
    found = (await client.good("projects/read", projectId=project_id))["projects"][0]
    assert (found["parameters"], found["libraries"]) == ([], [])


async def test_parameters_may_be_a_map(client: Client) -> None:
    parameters = {"a": {"key": "a", "value": 1}, "b": "2"}
    await client.good("projects/update", projectId=MOMENTUM, parameters=parameters)
    found = (await client.good("projects/read", projectId=MOMENTUM))["projects"][0]
    assert found["parameters"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]


async def test_a_deleted_project_is_gone_and_its_node_free(client: Client) -> None:
    await client.good("projects/delete", projectId=MOMENTUM)
    assert "Project not found" in await client.error("projects/read", projectId=MOMENTUM)
    assert LIVE_NODES[0] in client.desk.free_nodes()
    assert ("AAPL", "1m") not in client.desk.series()


async def test_libraries(client: Client) -> None:
    project_id = await created(client)
    both = {"projectId": project_id, "libraryId": MOMENTUM}
    found = (await client.good("projects/library/create", **both))["projects"][0]
    assert found["libraries"][0]["libraryName"] == "Momentum desk"
    await client.good("projects/library/delete", **both)
    assert "Library not found" in await client.error("projects/library/delete", **both)


async def test_files_from_creation_to_deletion(client: Client) -> None:
    project_id = await created(client)
    file = {"projectId": project_id, "name": "a.py"}
    await client.good("files/create", **file, content="one")
    await client.good("files/update", **file, content="two")
    assert await content(client, project_id, "a.py") == "two"
    await client.good("files/update", **file, newName="b.py")
    assert await content(client, project_id, "b.py") == "two"
    await client.good("files/delete", projectId=project_id, name="b.py")
    assert "File not found" in await client.error("files/read", projectId=project_id, name="b.py")


async def test_a_patch_changes_the_lines_that_it_names(client: Client) -> None:
    project_id = await created(client)
    main = {"projectId": project_id, "name": "main.py"}
    await client.good("files/update", **main, content="one\ntwo\nthree\nfour\nfive\nsix\n")
    await client.good("files/patch", projectId=project_id, patch=PATCH)
    expected = "one\ndeux\ndos\nthree\nfour\nfive\nsix\nseven\n"
    assert await content(client, project_id) == expected
    assert "does not fit" in await client.error("files/patch", projectId=project_id, patch=PATCH)
    assert await content(client, project_id) == expected


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("projects/create", {"name": "x", "language": "Ja"}, "language is one of"),
        ("projects/create", {"language": "Py"}, "name is required"),
        ("projects/update", {"name": "Breadth desk"}, "already in use"),
        ("projects/update", {"parameters": ["a"]}, "list of key and value"),
        ("projects/update", {"files": [{"name": "a.py", "content": ""}]}, "content is empty"),
        ("projects/library/create", {"libraryId": 1}, "Project not found"),
        ("files/create", {"name": "main.py", "content": "x"}, "already exists"),
        ("files/create", {"name": "a.py", "content": ""}, "content is empty"),
        ("files/create", {"name": "a.py", "content": "x" * 530_000}, "at most 100 files"),
        ("files/update", {"name": "no.py", "content": "x"}, "File not found"),
        ("files/update", {"name": "main.py", "newName": "main.py"}, "already exists"),
        ("files/delete", {"name": "no.py"}, "File not found"),
        ("files/patch", {"patch": "nonsense"}, "no unified diff"),
        ("files/patch", {"patch": "+++ b/no.py\n"}, "File not found"),
        ("files/patch", {"patch": "+++ b/main.py\n@@ -1,2 +1 @@\n x\n"}, "ends within a hunk"),
        ("compile/read", {"compileId": "0"}, "Compile id not found"),
        ("backtests/create", {"compileId": "0"}, "Compile id not found"),
        ("projects/nodes/update", {"nodes": ["LN-1"]}, "does not exist"),
    ],
)
async def test_bad_arguments(client: Client, path: str, body: dict[str, Any], says: str) -> None:
    assert says in await client.error(path, **({"projectId": MOMENTUM} | body))
    assert "signalbox_start" in await content(client, MOMENTUM)


async def test_a_build_takes_its_time(client: Client) -> None:
    client.context.pace = Pace(compile_s=2)
    build = await client.good("compile/create", projectId=MOMENTUM)
    ids = {"projectId": MOMENTUM, "compileId": build["compileId"]}
    found = await client.good("compile/read", **ids)
    assert (found["state"], found["logs"]) == ("InQueue", [])
    assert "is in state InQueue" in await client.error("backtests/create", **ids, backtestName="x")
    client.clock[0] += 2
    found = await client.good("compile/read", **ids)
    assert (found["state"], len(found["logs"])) == ("BuildSuccess", 1)
    assert [len(part) for part in build["compileId"].split("-")] == [32, 32]


async def test_code_that_is_no_python_is_a_build_error(client: Client) -> None:
    main = {"projectId": MOMENTUM, "name": "main.py"}
    await client.good("files/update", **main, content="ok = 1\nif ok\n")
    build = await client.good("compile/create", projectId=MOMENTUM)
    ids = {"projectId": MOMENTUM, "compileId": build["compileId"]}
    found = await client.good("compile/read", **ids)
    assert found["state"] == "BuildError"
    assert "main.py Line:2" in found["logs"][0]
    assert "BuildError" in await client.error("backtests/create", **ids, backtestName="x")


async def test_a_build_keeps_what_it_was_made_of(client: Client) -> None:
    build = await client.good("compile/create", projectId=MOMENTUM)
    await client.good("projects/update", projectId=MOMENTUM, parameters=[])
    assert client.context.builds.found[build["compileId"]].parameters["symbols"] == "AAPL"


async def test_only_so_many_builds_are_kept(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "_MOST_BUILDS", 2)
    ids = [(await client.good("compile/create", projectId=MOMENTUM))["compileId"] for _ in range(3)]
    assert list(client.context.builds.found) == ids[1:]


async def test_nodes_of_a_project(client: Client) -> None:
    found = await client.good("projects/nodes/read", projectId=MOMENTUM)
    assert found["autoSelectNode"]
    assert not any(node["active"] for node in found["nodes"]["live"])
    chosen = {"projectId": MOMENTUM, "nodes": [LIVE_NODES[2]]}
    found = await client.good("projects/nodes/update", **chosen)
    assert [node["active"] for node in found["nodes"]["live"]] == [False, False, True, False]
    assert not found["autoSelectNode"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("lean/versions/read", "versions"),
        ("lean/environments/read", "environments"),
        ("organizations/encryption/keys/list/", "keys"),
        ("account/read", "creditBalance"),
    ],
)
async def test_what_needs_no_arguments(client: Client, path: str, key: str) -> None:
    assert key in await client.good(path)
    bare = await client.http.request("GET", f"/api/v2/{path}", headers=HEADERS)
    assert key in bare.json()


async def test_there_are_no_optimizations(client: Client) -> None:
    assert (await client.good("optimizations/list", projectId=MOMENTUM))["optimizations"] == []
