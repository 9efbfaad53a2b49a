"""The write requests of the local Hub: creation of repositories and branches, uploads and commits."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from stand_ins.hub import Hub


Headers = dict[str, str]
Response = tuple[int, Headers, bytes]
KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


def handle(hub: Hub, method: str, path: str, token: str | None, body: bytes) -> Response | None:
    """Return the response to an API request; None if it is not one."""
    for verb, pattern, answer in ROUTES:
        match = re.fullmatch(pattern, path.partition("?")[0])
        if verb == method and match:
            return _refused(hub, token, match.groupdict(), writes=method != "GET") or answer(
                hub, token or "", body, **match.groupdict()
            )
    return None


def _refused(hub: Hub, token: str | None, arguments: dict[str, str], *, writes: bool) -> Response | None:
    if token not in {None, *hub.tokens}:
        return 401, {"X-Error-Message": "Invalid credentials in Authorization header"}, b"{}"
    if "repo" not in arguments:
        return None
    repository = hub.repositories.get(arguments["repo"])
    if repository and repository.silent:
        hub.closing.wait(30)
    if repository and repository.status != 200:
        return repository.status, {}, b"{}"
    kind = KINDS[arguments.get("kind") or "models"]
    if not repository or repository.kind != kind or hub.hides(arguments["repo"], token):
        return 401 if token is None else 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
    if writes and not hub.writable(arguments["repo"], token):
        return 403, {"X-Error-Message": "You have no write access"}, b"{}"
    return None


def _json(status: int, document: object) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _info(hub: Hub, token: str, body: bytes, *, kind: str, repo: str, revision: str | None = None) -> Response:
    repository = hub.repositories[repo]
    commit, files = repository.at(revision or "main") or ("", {})
    siblings = [{"rfilename": name} for name in files]
    return _json(200, {"id": repo, "sha": commit, "private": repository.private, "tags": [], "siblings": siblings})


def _create(hub: Hub, token: str, body: bytes) -> Response:
    request = json.loads(body)
    repo = f"{request['organization']}/{request['name']}"
    if not hub.writable(repo, token):
        return 403, {"X-Error-Message": "You don't have the rights to create a model under this namespace"}, b"{}"
    if repo in hub.repositories:
        return _json(409, {"error": "You already created this model repo"})
    hub.make(repo, private=request.get("private", request.get("visibility") == "private"))
    return _json(200, {"url": f"{hub.address}/{repo}"})


def _validate(hub: Hub, token: str, body: bytes) -> Response:
    header = re.match(r"---\n(.*?)\n---\n", json.loads(body)["content"], re.DOTALL)
    errors = (
        [] if header and isinstance(yaml.safe_load(header[1]), dict) else [{"message": "metadata is not valid YAML"}]
    )
    return _json(400 if errors else 200, {"errors": errors, "warnings": []})


def _branch(hub: Hub, token: str, body: bytes, *, repo: str, branch: str) -> Response:
    repository = hub.repositories[repo]
    if branch in repository.heads:
        return _json(409, {"error": "Reference already exists"})
    repository.heads[branch] = repository.heads["main"]
    return _json(201, {})


def _preupload(hub: Hub, token: str, body: bytes, *, repo: str, revision: str) -> Response:
    _, files = hub.repositories[repo].at(revision) or ("", {})
    modes = [_mode(file["path"], files) for file in json.loads(body)["files"]]
    return _json(200, {"files": modes})


def _mode(path: str, files: dict[str, bytes]) -> dict[str, Any]:
    large = path.endswith((".safetensors", ".png"))
    content = files.get(path)
    mode = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
    if content is None:
        return mode
    oid = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)  # noqa: S324 - git's name
    return mode | {"oid": oid.hexdigest()}


def _batch(hub: Hub, token: str, body: bytes, *, repo: str) -> Response:
    files = json.loads(body)["objects"]
    signed = f"{hub.address}/store/{repo}/{{}}?X-Signature=secret"
    objects = [file | {"actions": {"upload": {"href": signed.format(file["oid"])}}} for file in files]
    return _json(200, {"transfer": "basic", "objects": objects})


def _store(hub: Hub, token: str, body: bytes, *, place: str, oid: str) -> Response:
    if hub.repositories[place].full:
        return 400, {}, b""
    if hashlib.sha256(body).hexdigest() != oid:
        return 400, {}, b""
    hub.stored[oid] = body
    return 200, {}, b""


def _commit(hub: Hub, token: str, body: bytes, *, repo: str, revision: str) -> Response:
    repository = hub.repositories[repo]
    lines = [json.loads(line) for line in body.splitlines()]
    added = {line["value"]["path"]: _content(hub, line) for line in lines if line["key"] != "header"}
    commit = repository.commit(revision, added)
    hub.messages.append(next(line["value"]["summary"] for line in lines if line["key"] == "header"))
    return _json(200, {"success": True, "commitOid": commit, "commitUrl": f"{hub.address}/{repo}/commit/{commit}"})


def _content(hub: Hub, line: dict[str, Any]) -> bytes:
    value = line["value"]
    return hub.stored[value["oid"]] if line["key"] == "lfsFile" else base64.b64decode(value["content"])


REPO, REVISION = r"(?P<repo>[^/]+/[^/]+)", r"(?P<revision>[^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", rf"/api/(?P<kind>models|datasets|spaces)/{REPO}(?:/revision/{REVISION})?", _info),
    ("POST", r"/api/repos/create", _create),
    ("POST", r"/api/validate-yaml", _validate),
    ("POST", rf"/api/models/{REPO}/branch/(?P<branch>[^/]+)", _branch),
    ("POST", rf"/api/models/{REPO}/preupload/{REVISION}", _preupload),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", _batch),
    ("PUT", r"/store/(?P<place>[^/]+/[^/]+)/(?P<oid>[0-9a-f]+)", _store),
    ("POST", rf"/api/models/{REPO}/commit/{REVISION}", _commit),
)
