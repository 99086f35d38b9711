"""Machines and the object store."""

from qc_ingest.adapters.transport import Body, Transport
from qc_ingest.domain.nodes import Nodes, parse_nodes
from qc_ingest.domain.objects import Listed, StoredObject, parse_listed, parse_object
from qc_ingest.domain.wire import parse_text
from signalbox.contracts.errors import Malformed


class Resources:
    """The `nodes` and `object` endpoints. Both belong to an organization."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def nodes(self, organization_id: str) -> Nodes:
        """Every machine of an organization."""
        body: Body = {"organizationId": organization_id}
        expects = ("backtest", "research", "live")
        return parse_nodes(await self._transport.read("nodes/read", body, expects=expects))

    async def objects(self, organization_id: str, path: str = "/") -> list[Listed]:
        """What lies in a folder of the object store, folders included."""
        body: Body = {"organizationId": organization_id, "path": path}
        fields = await self._transport.read("object/list", body, expects=("objects",))
        return parse_listed(fields.get("objects"))

    async def object(self, organization_id: str, key: str) -> StoredObject:
        """What is known of one stored object.

        Raises:
            PermanentError: there is none under this key, or it is a folder.
        """
        body: Body = {"organizationId": organization_id, "key": key}
        fields = await self._transport.read("object/properties", body, expects=("metadata",))
        return parse_object(fields.get("metadata"))

    async def object_url(self, organization_id: str, key: str) -> str:
        """Where a zip of one object can be fetched.

        Raises:
            Loading: QuantConnect packs it for longer than a minute.
        """
        asked: Body = {"organizationId": organization_id, "keys": [key]}
        expects = ("url", "jobid")
        fields = await self._transport.read("object/get", asked, expects=expects)
        job_id = parse_text(fields.get("jobid"), longest=128)
        if job_id and not fields.get("url"):
            asked = {"organizationId": organization_id, "jobId": job_id}
            fields = await self._transport.prepared("object/get", asked, expects=expects)
        url = parse_text(fields.get("url"), longest=2000)
        if not url.startswith(("http://", "https://")):
            raise Malformed("QuantConnect names no address for the object")
        return url
