"""The deployment's files fit each other, the design and both generations of compose."""

import json
import re
import runpy
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.up import SANDBOX_PORT
from signalbox.runtime.topology import PORTS
from tests.architecture.project import ROOT, alerts_in_the_runbook, sources
from tests.architecture.test_files import settings_listed, settings_of

COMPOSE = ROOT / "docker-compose.yml"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
PUBLISHED_BY_OTHERS = {"up", "process_start_time_seconds", "process_cpu_seconds_total"}

# What one generation of compose or the other refuses, as a path; `*` stands for any name.
REFUSED = (
    "name",
    "include",
    "configs.*.content",
    "secrets.*.environment",
    "services.*.env_file.*.required",
    "services.*.healthcheck.start_interval",
    "services.*.depends_on.*.required",
    "services.*.depends_on.*.restart",
    "services.*.develop",
    "services.*.build.additional_contexts",
    "services.*.build.secrets",
    "services.*.volumes.*.volume.subpath",
)


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def leaves(node: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path in a document; places in a list count as names."""
    yield path
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node if isinstance(node, list) else ())
    )
    for key, value in items:
        yield from leaves(value, (*path, str(key)))


def refused(document: object) -> list[str]:
    patterns = [re.compile(re.escape(p).replace(r"\*", r"[^.]+")) for p in REFUSED]
    named = {".".join(part.replace(".", "_") for part in path) for path in leaves(document)}
    return sorted(path for path in named if any(p.fullmatch(path) for p in patterns))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = read("docker-compose.yml")["services"]
    assert isinstance(found, dict)
    return found


def test_compose_holds_nothing_that_one_generation_refuses() -> None:
    assert refused(read("docker-compose.yml")) == []
    assert "RUN --mount" not in (ROOT / "deploy/Dockerfile").read_text()
    assert "# syntax" not in (ROOT / "deploy/Dockerfile").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "name: a",
        "services: {a: {healthcheck: {start_interval: 1s}}}",
        "services: {a: {depends_on: {b: {required: false}}}}",
        "services: {a: {env_file: [{path: b, required: false}]}}",
        "configs: {a: {content: b}}",
    ],
)
def test_a_refused_key_is_noticed(text: str) -> None:
    assert refused(yaml.safe_load(text))


def test_every_service_is_composed_on_its_port(services: dict[str, Any]) -> None:
    built = {
        name: given["build"]["args"]["PORT"]
        for name, given in services.items()
        if "args" in given.get("build", {})
    }
    assert built == {**PORTS, "sandbox": SANDBOX_PORT}


def test_the_sandbox_is_where_quantconnects_client_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its local address is fixed in the client's own code."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back what the file changes
    outside = runpy.run_path(str(ROOT / "tests/clients/outside/sitecustomize.py"))
    assert outside["LOCAL"] == ("localhost", SANDBOX_PORT)
    served = re.search(r"^PORT_sandbox := (\d+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert served
    assert int(served[1]) == SANDBOX_PORT


def test_an_image_holds_the_service_it_is_named_for(services: dict[str, Any]) -> None:
    for name in (*PORTS, "sandbox"):
        args = services[name]["build"]["args"]
        assert (args["SERVICE"], args["PACKAGE"]) == (name, name.replace("-", "_"))


def test_services_start_after_the_one_shots_and_can_do_little(services: dict[str, Any]) -> None:
    for name in (*PORTS, "sandbox"):
        given = services[name]
        waits = {k: v["condition"] for k, v in given["depends_on"].items()}
        assert waits == {
            **dict.fromkeys(("streams", "migrate"), "service_completed_successfully"),
            **dict.fromkeys(("nats", "postgres"), "service_healthy"),  # stopped after the service
        }
        assert given["read_only"], name
        assert given["cap_drop"] == ["ALL"], name
        assert given["mem_limit"], name


def test_a_private_key_reaches_one_service(services: dict[str, Any]) -> None:
    """Each service sees the credentials made for it; only the one-shots see all."""
    for name in (*PORTS, "sandbox"):
        mine = [v for v in services[name]["volumes"] if v.startswith("keys-")]
        assert mine == [f"keys-{name}:/var/lib/signalbox/credentials:ro"]
        assert not any(volume.startswith("home:") for volume in services[name]["volumes"])


def test_ports_are_published_to_this_machine_only(services: dict[str, Any]) -> None:
    published = [port for given in services.values() for port in given.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert not {"nats", "postgres"} & {name for name, given in services.items() if "ports" in given}


def test_what_compose_reads_is_in_the_example() -> None:
    text = COMPOSE.read_text()
    names = {*re.findall(r"\$\{(\w+)", text), *re.findall(r"(?m)^ +([A-Z_]+):$", text)}
    assert names <= {*settings_listed()}


def test_compose_hands_every_setting_on(services: dict[str, Any]) -> None:
    """What a service may be told, it can be told here; HOME and addresses are set by compose."""
    for source in (s for s in sources() if s.path.name == "settings.py" and not s.is_test):
        service = source.path.parts[-2].replace("_", "-")
        for name in PORTS if service == "runtime" else [service]:
            assert {*settings_of(source)} <= services[name]["environment"].keys(), name


def test_every_service_is_scraped() -> None:
    jobs = {
        job["job_name"]: job for job in read("deploy/prometheus/prometheus.yml")["scrape_configs"]
    }
    targets = [t for c in jobs["signalbox"]["static_configs"] for t in c["targets"]]
    assert sorted(targets) == sorted(f"{name}:{port}" for name, port in PORTS.items())


def series_of(definitions: str, code: str) -> set[str]:
    """Every series that the code produces: of the metrics that are defined and somewhere set."""
    found = re.findall(r'(\w+) = (Counter|Gauge|Histogram)\(\s*"(\w+)"', definitions)
    names = set[str]()
    for constant, kind, name in found:
        ends = ("_bucket", "_sum", "_count") if kind == "Histogram" else ("",)
        if re.search(rf"metrics\.{constant}\b", code):
            names |= {name + end for end in ends}
    return names


@pytest.fixture(scope="module")
def series() -> set[str]:
    code = "\n".join(source.text for source in sources() if not source.is_test)
    return series_of((ROOT / "shared/signalbox/runtime/metrics.py").read_text(), code)


def metrics_named(expression: str) -> set[str]:
    """The series that an expression reads: what looks like ours, and what carries a selector."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    return {*re.findall(r"\bsignalbox_\w+", bare), *re.findall(r"\b([a-z_]\w+)\{", bare)}


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in read("deploy/prometheus/alerts.yml")["groups"] for rule in group["rules"]
    ]


def expressions() -> list[str]:
    panels = [p for path in DASHBOARDS for p in json.loads(path.read_text())["panels"]]
    shown = [t["expr"] for panel in panels for t in panel.get("targets", [])]
    return shown + [rule["expr"] for rule in rules()]


def test_expressions_name_only_series_that_are_produced(series: set[str]) -> None:
    assert len(expressions()) > len(rules()) > 0
    named = {name for text in expressions() for name in metrics_named(text)}
    assert named - series - PUBLISHED_BY_OTHERS == set()


def test_a_series_that_is_not_produced_is_noticed() -> None:
    named = metrics_named('rate(signalbox_typos_total[5m]) > upp{job="signalbox_x"}')
    assert named == {"signalbox_typos_total", "upp"}
    definitions = 'A = Counter("a_total", "")\nB = Histogram(\n"b", "")\nC = Gauge("c", "")'
    assert series_of(definitions, "metrics.A.inc() metrics.B.observe(1)") == {
        "a_total",
        "b_bucket",
        "b_sum",
        "b_count",
    }


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["level"] in ("page", "ticket", "heartbeat"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


def test_the_runbook_explains_only_alerts_that_the_code_can_raise() -> None:
    """That it explains all of them is seen wherever a test raises one: conftest.py."""
    code = "\n".join(source.text for source in sources() if not source.is_test)
    explained = alerts_in_the_runbook()
    unknown = {name for name in explained if not re.search(rf'"{name}"', code)}
    assert explained
    assert unknown == {f"budget_{percent}" for percent in (50, 80, 100)}  # put together


def test_alertmanager_knows_every_receiver() -> None:
    given = read("deploy/alertmanager/alertmanager.yml")
    known = {receiver["name"] for receiver in given["receivers"]}
    routes = [given["route"], *given["route"]["routes"]]
    assert {route["receiver"] for route in routes} <= known


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_complete(path: Any) -> None:
    board = json.loads(path.read_text(encoding="utf-8"))
    source = read("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0]["uid"]
    ids = [panel["id"] for panel in board["panels"]]
    assert board["title"]
    assert len({*ids}) == len(ids)
    for panel in (p for p in board["panels"] if p["type"] != "row"):
        assert panel["title"]
        assert panel["targets"]
        assert panel["datasource"]["uid"] == source
