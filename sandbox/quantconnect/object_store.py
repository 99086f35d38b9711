"""Endpoints of the object store."""

from sandbox.quantconnect.endpoints import Context, Endpoint, Link, Payload, check_organization
from sandbox.quantconnect.formats import web_time
from sandbox.quantconnect.objects import mime
from sandbox.quantconnect.parameters import Failure, Parameters, text

DOWNLOADS = "/api/v2/object/download"
_LONGEST_KEY = 500
_PREVIEW = 200
_KIB = 1024


def store(context: Context, parameters: Parameters) -> Payload:
    """Store a file; an older one under the key is replaced."""
    check_organization(parameters, needed=True)
    content = parameters.get("objectData")
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        raise Failure("Invalid argument: objectData is required")
    context.objects.put(_key(parameters), content, context.now)
    return {}


def properties(context: Context, parameters: Parameters) -> Payload:
    """Size, hash and the beginning of an object."""
    check_organization(parameters, needed=True)
    key = _key(parameters)
    found = context.objects.get(key)
    kind = mime(key, found.content)
    is_text = kind.startswith("text/") or kind == "application/json"
    metadata = {
        "key": f"/{key}",
        "modified": web_time(found.modified),
        "created": web_time(found.created),
        "size": len(found.content),
        "md5": found.md5,
        "mime": kind,
        "preview": found.content[:_PREVIEW].decode(errors="replace") if is_text else "N/A",
    }
    return {"metadata": metadata}


def list_objects(context: Context, parameters: Parameters) -> Payload:
    """Objects and directories directly below a path."""
    check_organization(parameters, needed=True)
    path = str(parameters.get("path") or "").strip("/")
    rows = []
    for name, found in context.objects.below(path).items():
        key = f"{path}/{name}" if path else name
        rows.append(
            {
                "key": f"/{key}",
                "name": name,
                "modified": web_time(found.modified if found else context.now),
                "mime": mime(key, found.content) if found else "directory",
                "folder": found is None,
                "size": len(found.content) if found else 0,
            }
        )
    used = context.objects.used
    return {
        "path": f"/{path}",
        "objects": rows,
        "page": 1,
        "totalPages": 1,
        "objectStorageUsed": used,
        "objectStorageUsedHuman": f"{used / _KIB:.1f} KB",
    }


def fetch(context: Context, parameters: Parameters) -> Payload:
    """First a job for the keys, then the address of its zip."""
    check_organization(parameters, needed=True)
    job = parameters.get("jobId")
    if job:
        if job not in context.objects.jobs:
            raise Failure("Invalid argument: no such jobId")
        return {"jobId": job, "url": Link(f"{DOWNLOADS}/{job}.zip")}
    keys = parameters.get("keys")
    if not isinstance(keys, list) or not keys:
        raise Failure("Invalid argument: keys is required")
    chosen = [str(key).strip("/") for key in keys]
    return {"jobId": context.objects.prepare(chosen), "url": ""}


def delete(context: Context, parameters: Parameters) -> Payload:
    """Delete an object, or all that is below a directory."""
    check_organization(parameters, needed=True)
    key = _key(parameters)
    below = [one for one in context.objects.objects if one == key or one.startswith(f"{key}/")]
    if not below:
        raise Failure(f"Object not found: {key}")
    for one in below:
        del context.objects.objects[one]
    return {}


def _key(parameters: Parameters) -> str:
    return text(parameters, "key", longest=_LONGEST_KEY).strip("/")


ENDPOINTS: dict[str, Endpoint] = {
    "object/set": store,
    "object/properties": properties,
    "object/list": list_objects,
    "object/get": fetch,
    "object/delete": delete,
}
