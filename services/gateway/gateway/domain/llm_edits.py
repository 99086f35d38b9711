"""Turns what a caller sends about language models into the next configuration."""

from collections.abc import Mapping
from datetime import datetime

from gateway.domain.connections import fingerprint, hint
from gateway.domain.edits import Saved, SealedSecret, fields_of, needs
from gateway.domain.llm import KIND, TOTAL, LanguageModel, active_of, lacking
from gateway.domain.llm_bodies import BudgetBody, LlmConfigBody
from gateway.domain.llm_urls import check_base_url
from gateway.domain.setup import Setup, find, pick, put, without
from signalbox.contracts.config import Budget
from signalbox.contracts.errors import Conflict, Malformed, NotFound
from signalbox.contracts.values import Target

CLEARABLE = ("base_url", "temperature", "effort", "every", "move", "fallback", "bot", "price")
MOST = 100
WHAT = "LLM config"
_NAMES = {"prompt_template": "prompt_id", "is_active": "active"}
_BOUND = ("provider", "base_url", "target")  # where a key goes


def sealed_key(provider: str, key: str, sealed: str) -> SealedSecret:
    """What is kept of a provider's key."""
    return SealedSecret(sealed, hint(key), fingerprint(KIND, provider, key))


def save_model(
    setup: Setup,
    body: LlmConfigBody,
    secret: SealedSecret | None,
    *,
    key: str,
    owner: str,
    at: datetime,
    private_urls: bool = False,
) -> Saved[LanguageModel]:
    """Add a language model, or change one; `secret` is the provider's key when one was sent.

    Raises:
        Malformed: something is missing, does not fit together, or would send a stored key to
            where it was not entered for.
        NotFound: a prompt, bot or fallback that is named does not exist.
        Conflict: there are too many, or somebody else has just taken the id made for a new one.
    """
    before = find(setup.models, key)
    given = fields_of(body, *CLEARABLE)
    given.pop("api_key", None)
    if before is not None and body.id is None:
        raise Conflict(f"{WHAT} {key!r} was added a moment ago; send it again, or name its id")
    if key == TOTAL:
        raise Malformed(f"{TOTAL!r} stands for all models together; pick another id")
    if before is None:
        needs({**given, "api_key": secret}, "provider", "model", "symbols", "api_key")
        if len(setup.models) >= MOST:
            raise Conflict(f"there are {MOST} LLM configs already; delete one first")
    fields = {_NAMES.get(name, name): value for name, value in given.items()}
    if body.budget is not None:
        fields["budget"] = merged(before.budget if before else Budget(), body.budget)
    if before is None:
        fields = {"name": key, "owner": owner, "created_at": at, **fields}
    elif secret is None:
        _keeps_its_key(before, fields)
    if secret is not None:
        fields |= {
            "key_sealed": secret.sealed,
            "key_hint": secret.hint,
            "fingerprint": secret.fingerprint,
            "key_at": at,
        }
    stored = before.model_dump() if before else {}
    changed_at = {"id": key, "updated_at": at}
    model = LanguageModel.model_validate({**stored, **fields, **changed_at})
    after = setup.model_copy(update={"models": put(setup.models, model)})
    _check(after, model, body, private_urls=private_urls)
    return Saved(after, model, before is None)


def merged(before: Budget, body: BudgetBody) -> Budget:
    """A budget with what was sent; null takes a limit away."""
    return Budget.model_validate({**before.model_dump(), **body.model_dump(exclude_unset=True)})


def _keeps_its_key(before: LanguageModel, fields: Mapping[str, object]) -> None:
    """A stored key goes only where it was entered for: never to the sandbox or another host."""
    for name in _BOUND:
        if fields.get(name, getattr(before, name)) != getattr(before, name):
            raise Malformed(f"another {name} needs its api_key too: send both together")


def _check(setup: Setup, model: LanguageModel, body: LlmConfigBody, *, private_urls: bool) -> None:
    if model.active and model.lacks:
        raise Malformed(f"it cannot be active yet; {lacking(model)}")
    if model.provider == "claude" and body.wire == "chat":
        raise Malformed("wire: chat is for OpenAI and compatible servers; leave it out here")
    if model.base_url is not None:
        if model.target is Target.SANDBOX:
            raise Malformed("base_url: a sandbox config talks to the sandbox; leave it out")
        check_base_url(model.provider, model.base_url, private=private_urls)
    if active_of(setup.prompts, model.prompt_id) is None:
        raise NotFound(f"there is no prompt {model.prompt_id!r}; GET /api/ai-trading/prompts")
    if model.bot is not None:
        pick(setup.bots, model.bot, "bot")
    _check_fallbacks(setup, model)


def _check_fallbacks(setup: Setup, model: LanguageModel) -> None:
    """A fallback exists, is another config, and lives at the same target."""
    if model.fallback == model.id:
        raise Malformed("fallback: name another config than this one")
    if model.fallback is not None:
        pick(setup.models, model.fallback, WHAT)
    for one in setup.models:
        other = find(setup.models, one.fallback) if one.fallback else None
        if other is not None and model in (one, other) and one.target is not other.target:
            raise Malformed(
                f"fallback: {one.id!r} is {one.target} and {other.id!r} is {other.target}; the"
                " sandbox's answers never stand in for a real model's"
            )


def remove_model(setup: Setup, key: str) -> Setup:
    """Take a language model out.

    Raises:
        NotFound: there is no such config.
        Conflict: another one falls back to it.
    """
    pick(setup.models, key, WHAT)
    user = next((m.id for m in setup.models if m.fallback == key), None)
    if user is not None:
        raise Conflict(f"LLM config {user!r} falls back to {key!r}; change that one first")
    return setup.model_copy(update={"models": without(setup.models, key)})


def save_budget(setup: Setup, body: BudgetBody) -> Setup:
    """Set what all models together may cost; what is left out stays."""
    return setup.model_copy(update={"llm_budget": merged(setup.llm_budget, body)})


IMPORTED = {
    "openai": ("environment-openai", "OpenAI (from the environment; pick a model)"),
    "claude": ("environment-claude", "Claude (from the environment; pick a model)"),
}  # by provider: id and name


def is_known(setup: Setup, provider: str, key: str) -> bool:
    """Whether some config holds this key already."""
    wanted = fingerprint(KIND, provider, key)
    return any(model.fingerprint == wanted for model in setup.models)


def import_key(
    setup: Setup, provider: str, secret: SealedSecret, *, owner: str, at: datetime
) -> Setup:
    """Keep a key of the environment for the real provider. A new one replaces the one before;
    the config is asked only once a person has picked a model and symbols and switched it on.
    """
    key, name = IMPORTED[provider]
    before = find(setup.models, key)
    stored = before.model_dump() if before else {"name": name, "active": False, "created_at": at}
    model = LanguageModel.model_validate(
        {
            **stored,
            "id": key,
            "provider": provider,
            "base_url": None,
            "target": Target.REAL,
            "key_sealed": secret.sealed,
            "key_hint": secret.hint,
            "fingerprint": secret.fingerprint,
            "key_at": at,
            "owner": owner,
            "updated_at": at,
        }
    )
    return setup.model_copy(update={"models": put(setup.models, model)})
