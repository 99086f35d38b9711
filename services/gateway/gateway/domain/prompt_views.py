"""What the REST interface answers about prompts."""

from gateway.domain.calibration_views import ShareView
from gateway.domain.llm_usage_views import UsageView
from gateway.domain.views import Number, View
from signalbox.contracts.values import UtcTime


class PromptView(View):
    """A prompt, and the version that decisions use."""

    id: str
    name: str
    active_version: int
    latest_version: int
    built_in: bool
    used_by: tuple[str, ...]  # LLM configs
    created_at: UtcTime
    updated_at: UtcTime


class ActivationView(View):
    """Who let decisions use a version, and when."""

    version: int
    previous: int | None
    by: str
    at: UtcTime


class VersionView(View):
    """One version of a prompt, and how it has done."""

    prompt_id: str
    version: int
    name: str
    system: str
    user: str
    hash: str
    active: bool
    created_by: str
    created_at: UtcTime
    usage: UsageView
    scored: ShareView  # signals that were scored at their horizon


class PromptDetail(PromptView):
    """A prompt with the words of its active version and who activated what."""

    system: str
    user: str
    hash: str
    activations: tuple[ActivationView, ...]


class SavedPrompt(PromptDetail):
    """A prompt after a version was added to it."""

    version: int  # the one with the words that were sent
    variables: tuple[str, ...]  # names that they use


class VariableView(View):
    """A name that a prompt may use."""

    name: str
    description: str = ""
    trusted: bool = True
    max_chars: int | None = None
    example: str = ""


class PreviewView(View):
    """A prompt as it would be sent now. No model was asked."""

    system: str
    user: str
    tokens_estimated: int | None = None
    cost_usd_estimated: Number | None = None
    cost_usd_worst: Number | None = None
    warnings: tuple[str, ...] = ()
