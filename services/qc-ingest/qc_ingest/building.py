"""What a deployment and a backtest begin with: the project is looked up, compiled and built."""

from dataclasses import replace

from qc_ingest.adapters.quantconnect import QuantConnect
from qc_ingest.domain.answers import WrongCredentials
from qc_ingest.domain.jobs import Step
from qc_ingest.domain.projects import Project
from qc_ingest.jobs import Run
from signalbox.contracts.errors import NotFound, PermanentError


async def look_up(run: Run, client: QuantConnect) -> Project:
    """The job's project.

    Raises:
        NotFound: it does not exist, or is not shared with this account.
    """
    job = run.job
    try:
        return await client.projects.read(job.project_id)
    except WrongCredentials:
        raise
    except PermanentError as error:
        raise NotFound(
            f"Project {job.project_id} cannot be read; it was deleted, or is not shared with this"
            f" account ({error})."
        ) from error


async def compile_project(run: Run, client: QuantConnect) -> float:
    """Start a build. When the answer is lost it is started again: one too many does no harm."""
    build = await client.projects.compile(run.job.project_id)
    job = replace(run.job, compile_id=build.id)
    await run.save(job.at_step(Step.BUILD, run.wall, "QuantConnect builds the project."))
    return 0.0


async def follow_build(run: Run, client: QuantConnect, next_step: Step) -> float:
    """Look at the build; a bad one ends the job with what the compiler said."""
    build = await client.projects.build(run.job.project_id, run.job.compile_id)
    if build.has_failed:
        raise PermanentError(f"The project does not compile. {build.complaint()}")
    if not build.is_good:
        return run.look_s()
    await run.save(run.job.at_step(next_step, run.wall, "The build is ready."))
    return 0.0
