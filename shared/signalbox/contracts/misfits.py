"""What does not fit a contract, in words."""

from pydantic import ValidationError


def in_words(error: ValidationError) -> str:
    """Where it does not fit first, and why; then how many misfits are left. Shows nothing of what
    came but the name of a type that nobody knows.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    why = first["msg"]
    if first["type"] == "union_tag_invalid":  # pydantic would list all the types there are
        why = f"the type {first['ctx']['tag']!r} is not known here"
    left = error.error_count() - 1
    return f"{where}: {why}" + (f" (and {left} more)" if left else "")
