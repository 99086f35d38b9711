"""Deployments, step by step. At no point can a kill lead to a second one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.building import compile_project, follow_build, look_up
from qc_ingest.domain.answers import NotDone, OutcomeUnknown
from qc_ingest.domain.deployments import Deployment
from qc_ingest.domain.jobs import SEALED, SETTLE, Status, Step
from qc_ingest.domain.live import Notify, is_alive
from qc_ingest.domain.nodes import choose_live
from qc_ingest.jobs import Run
from signalbox.contracts.errors import Conflict, PermanentError, RateLimited, TransientError
from signalbox.runtime.secrets import Box

_STARTING = timedelta(minutes=15)
_LOG_LINES = 5


class Deployer:
    """Compiles a project and runs it on QuantConnect's own paper brokerage."""

    def __init__(self, box: Box, changed: Callable[[str], None]) -> None:
        self._box = box
        self._changed = changed  # told the config whose deployments are others now

    async def step(self, run: Run, client: QuantConnect) -> float:
        """One step; the seconds until the next.

        Raises:
            PermanentError: it cannot be deployed; the message says why and what to do.
            TransientError: not now.
        """
        match run.job.step:
            case Step.CHECK:
                return await self._check(run, client)
            case Step.COMPILE:
                return await compile_project(run, client)
            case Step.BUILD:
                return await follow_build(run, client, Step.NODE)
            case Step.NODE:
                return await self._choose_node(run, client)
            case Step.CREATE:
                return await self._create(run, client)
            case _:
                return await self._follow(run, client)

    async def _check(self, run: Run, client: QuantConnect) -> float:
        project = await look_up(run, client)
        _refuse_second(await client.live.deployment(project.id))
        parameters, _ = self._private(run)
        wanted = {**project.parameters, **parameters}
        if wanted != project.parameters:
            await client.projects.update(project.id, parameters=wanted)
        job = replace(run.job, project_name=project.name, organization_id=project.organization_id)
        await run.save(job.at_step(Step.COMPILE, run.wall, "Compiling the project."))
        return 0.0

    async def _choose_node(self, run: Run, client: QuantConnect) -> float:
        nodes = await client.resources.nodes(run.job.organization_id)
        node = choose_live(nodes.live, run.job.text("node_id") or None)
        job = replace(run.job, node_id=node.id)
        await run.save(job.at_step(Step.CREATE, run.wall, f"Deploying to {node.name}."))
        return 0.0

    async def _create(self, run: Run, client: QuantConnect) -> float:
        newest = await client.live.deployment(run.job.project_id)
        if run.job.sent_at is not None:
            return await self._find(run, newest)
        _refuse_second(newest)
        _, notify = self._private(run)
        earlier_id = newest.deploy_id if newest else ""
        await run.save(replace(run.job, earlier_id=earlier_id, sent_at=run.wall))
        job = run.job
        try:
            deploy_id = await client.live.create(
                job.project_id, job.compile_id, job.node_id, notify
            )
        except (NotDone, RateLimited):
            await run.save(replace(run.job, sent_at=None))
            raise
        except OutcomeUnknown:
            return run.look_s()
        return await _created(run, deploy_id)

    @staticmethod
    async def _find(run: Run, newest: Deployment | None) -> float:
        """After a request without an answer: whether it took effect all the same."""
        job = run.job
        if newest is not None and newest.deploy_id != job.earlier_id:
            return await _created(run, newest.deploy_id)
        if job.sent_at is not None and run.wall - job.sent_at < SETTLE:
            await run.save(replace(job, message="No answer came; looking whether it was started."))
            return run.look_s()
        await run.save(replace(job, sent_at=None))
        return 0.0

    async def _follow(self, run: Run, client: QuantConnect) -> float:
        job = run.job
        deployment = await client.live.deployment(job.project_id)
        if deployment is None or deployment.deploy_id != job.quantconnect_id:
            raise Conflict("Another deployment of the project has taken this one's place.")
        if deployment.status.lower() == "running":
            await run.finish(Status.DONE, f"{job.project_name} runs on paper.")
            self._changed(job.config_id)
            return 0.0
        if deployment.has_ended:
            raise PermanentError(
                f"The deployment ended as {deployment.status}."
                f" {await _last_words(client, deployment)}".strip()
            )
        if run.wall - job.step_since > _STARTING:
            minutes = _STARTING // timedelta(minutes=1)
            raise PermanentError(
                f"QuantConnect has not started it within {minutes} minutes; its status is"
                f" {deployment.status}. Look at it on quantconnect.com: it may still start."
            )
        await run.save(job.at_step(Step.START, run.wall, f"QuantConnect says {deployment.status}."))
        return run.look_s()

    def _private(self, run: Run) -> tuple[dict[str, str], Notify | None]:
        """What is told to QuantConnect alone: parameters, and where it is to call."""
        text = self._box.open(run.job.text(SEALED), config_id=run.job.id, field=SEALED)
        asked = json.loads(text)
        notify = asked["notify"]
        return asked["parameters"], Notify(**notify) if notify else None


async def _created(run: Run, deploy_id: str) -> float:
    job = replace(run.job, quantconnect_id=deploy_id, sent_at=None)
    await run.save(job.at_step(Step.START, run.wall, "QuantConnect starts the algorithm."))
    return run.look_s()


def _refuse_second(newest: Deployment | None) -> None:
    if newest is not None and is_alive(newest):
        raise Conflict(
            f"The project is deployed already ({newest.deploy_id}, {newest.status}). Stop that"
            " deployment first, then deploy again."
        )


async def _last_words(client: QuantConnect, deployment: Deployment) -> str:
    """Why a deployment ended, as far as QuantConnect tells."""
    try:
        end = (await client.live.logs(deployment, 0, 1)).length
        logs = await client.live.logs(deployment, max(end - _LOG_LINES, 0), end)
    except (PermanentError, TransientError):
        return deployment.message
    return " ".join(filter(None, [deployment.message, *logs.lines]))[:1500]
