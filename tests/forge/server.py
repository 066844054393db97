"""A small GitHub on loopback: the REST API's documented shapes, pages, limits and refusals, as far as they are used.

Written after the reference "REST API endpoints" for issue comments, pull requests, commits, users and check runs, and
after "Rate limits", "Using pagination" and "Best practices" of the guide.
"""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "ghs_0123456789abcdefSECRET"
BOT = "github-actions[bot]"
REPOSITORY = "acme/data"
LONGEST_BODY = 65_536
MOST_ANNOTATIONS = 50


@dataclass
class Trouble:
    """What the next matching request meets instead of its answer, or after it."""

    method: str
    path: str  # a regular expression
    status: int = 0  # 0: the connection is closed without an answer
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None
    done_first: bool = False  # the request is carried out, and only its answer is lost
    times: int = 1


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class GitHub:
    """The state: pull requests, comments, check runs; and every request that was made."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.tokens: dict[str, str] = {TOKEN: BOT}  # whom a token writes as
        self.pulls: dict[int, dict[str, Any]] = {}
        self.listed_by_commit = True  # GitHub lists none for commits that only a fork has
        self.comments: list[dict[str, Any]] = []
        self.checks: list[dict[str, Any]] = []
        self.page_limit = 100
        self.troubles: list[Trouble] = []
        self.before: list[
            tuple[str, str, Any]
        ] = []  # (method, path, function): one for each request, before its answer
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self._ids = iter(range(1000, 10**9))
        self.url = ""

    def pull(self, number: int, sha: str, *, state: str = "open", fork: str = "acme", branch: str = "topic") -> None:
        self.pulls[number] = {
            "url": f"{self.url}/repos/{REPOSITORY}/pulls/{number}",
            "number": number,
            "state": state,
            "draft": False,
            "user": {"login": "octocat", "id": 1, "type": "User"},
            "head": {"ref": branch, "sha": sha, "repo": {"full_name": f"{fork}/data"}, "label": f"{fork}:{branch}"},
            "base": {"ref": "main", "sha": "b" * 40, "repo": {"full_name": REPOSITORY}},
        }

    def comment(self, author: str, body: str, number: int = 7) -> dict[str, Any]:
        found = next(self._ids)
        made = {
            "id": found,
            "node_id": f"IC_{found}",
            "url": f"{self.url}/repos/{REPOSITORY}/issues/comments/{found}",
            "html_url": f"https://github.example/{REPOSITORY}/pull/{number}#issuecomment-{found}",
            "issue_url": f"{self.url}/repos/{REPOSITORY}/issues/{number}",
            "body": body,
            "user": {"login": author, "id": 41898282, "type": "Bot" if author.endswith("[bot]") else "User"},
            "created_at": "2026-11-01T00:00:00Z",
            "updated_at": "2026-11-01T00:00:00Z",
            "author_association": "NONE",
            "number": number,
        }
        self.comments.append(made)
        return made

    def bodies(self, number: int = 7) -> list[str]:
        return [comment["body"] for comment in self.comments if comment["number"] == number]

    def said(self, method: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method]

    # answers: (status, content, extra headers)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, login: str):
        routes = (
            ("GET", r"/user", self._user),
            ("GET", rf"/repos/{REPOSITORY}/pulls/(\d+)", self._pull),
            ("GET", rf"/repos/{REPOSITORY}/pulls", self._pulls),
            ("GET", rf"/repos/{REPOSITORY}/commits/([0-9a-f]+)/pulls", self._pulls_of),
            ("GET", rf"/repos/{REPOSITORY}/commits/([0-9a-f]+)/check-runs", self._checks_of),
            ("POST", rf"/repos/{REPOSITORY}/check-runs", self._check),
            ("PATCH", rf"/repos/{REPOSITORY}/check-runs/(\d+)", self._check_again),
            ("GET", rf"/repos/{REPOSITORY}/issues/(\d+)/comments", self._comments),
            ("POST", rf"/repos/{REPOSITORY}/issues/(\d+)/comments", self._post),
            ("PATCH", rf"/repos/{REPOSITORY}/issues/comments/(\d+)", self._patch),
            ("DELETE", rf"/repos/{REPOSITORY}/issues/comments/(\d+)", self._delete),
        )
        for verb, pattern, act in routes:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return act(*found.groups(), query=query, body=body, login=login)
        return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, {}

    def _user(self, *, query, body, login):
        if login.endswith("[bot]"):
            return 403, {"message": "Resource not accessible by integration"}, {}
        return 200, {"login": login, "id": 5, "type": "User"}, {}

    def _pull(self, number, *, query, body, login):
        if int(number) not in self.pulls:
            return 404, {"message": "Not Found"}, {}
        return 200, self.pulls[int(number)], {}

    def _pulls(self, *, query, body, login):
        found = [
            pull
            for pull in self.pulls.values()
            if query.get("state", "open") in (pull["state"], "all")
            and query.get("head", pull["head"]["label"]) == pull["head"]["label"]
        ]
        return self._paged(found, f"/repos/{REPOSITORY}/pulls", query)

    def _pulls_of(self, sha, *, query, body, login):
        found = [one for one in self.pulls.values() if one["head"]["sha"] == sha or one.get("holds") == sha]
        listed = found if self.listed_by_commit else []
        return self._paged(listed, f"/repos/{REPOSITORY}/commits/{sha}/pulls", query)

    def _comments(self, number, *, query, body, login):
        found = [one for one in self.comments if one["number"] == int(number)]
        return self._paged(found, f"/repos/{REPOSITORY}/issues/{number}/comments", query)

    def _paged(self, found, path, query):
        size = min(int(query.get("per_page", 30)), self.page_limit, 100)
        page = int(query.get("page", 1))
        last = max(1, -(-len(found) // size))
        links = {"next": page + 1, "last": last} if page < last else {}
        links |= {"prev": page - 1, "first": 1} if page > 1 else {}
        told = ", ".join(
            f'<{self.url}{path}?{urlencode({**query, "page": number})}>; rel="{name}"' for name, number in links.items()
        )
        return 200, found[(page - 1) * size : page * size], {"Link": told} if told else {}

    def _post(self, number, *, query, body, login):
        if refused := _too_long(body["body"]):
            return refused
        with self.lock:
            made = self.comment(login, body["body"], int(number))
        return 201, made, {"Location": made["url"]}

    def _patch(self, found, *, query, body, login):
        comment = next((one for one in self.comments if one["id"] == int(found)), None)
        if comment is None:
            return 404, {"message": "Not Found"}, {}
        if comment["user"]["login"] != login:
            return 403, {"message": "Resource not accessible by integration"}, {}
        if refused := _too_long(body["body"]):
            return refused
        comment["body"] = body["body"]
        return 200, comment, {}

    def _delete(self, found, *, query, body, login):
        comment = next((one for one in self.comments if one["id"] == int(found)), None)
        if comment is None:
            return 404, {"message": "Not Found"}, {}
        if comment["user"]["login"] != login:
            return 403, {"message": "Must have admin rights to Repository."}, {}
        self.comments.remove(comment)
        return 204, None, {}

    def _checks_of(self, sha, *, query, body, login):
        named = [
            one for one in self.checks if one["head_sha"] == sha and query.get("check_name", one["name"]) == one["name"]
        ]
        latest = {one["name"]: one for one in sorted(named, key=lambda one: one["id"])}
        found = list(latest.values()) if query.get("filter", "latest") == "latest" else named
        status, page, headers = self._paged(found, f"/repos/{REPOSITORY}/commits/{sha}/check-runs", query)
        return status, {"total_count": len(found), "check_runs": page}, headers

    def _check(self, *, query, body, login):
        if not login.endswith("[bot]"):
            return 403, {"message": "You must authenticate via a GitHub App."}, {}
        if refused := _bad_check(body):
            return refused
        found = next(self._ids)
        made = {
            "id": found,
            "external_id": "",
            "html_url": f"https://github.example/{REPOSITORY}/runs/{found}",
            "app": {"id": 15368, "slug": login.removesuffix("[bot]")},
            **{key: value for key, value in body.items() if key != "output"},
            "output": {"title": None, "summary": None, "annotations_count": 0},
            "annotations": [],
        }
        self._annotate(made, body)
        self.checks.append(made)
        return 201, made, {}

    def _check_again(self, found, *, query, body, login):
        check = next((one for one in self.checks if one["id"] == int(found)), None)
        if check is None:
            return 404, {"message": "Not Found"}, {}
        if refused := _bad_check(body):
            return refused
        check.update({key: value for key, value in body.items() if key != "output"})
        self._annotate(check, body)
        return 200, check, {}

    def _annotate(self, check, body):
        output = dict(body.get("output", {}))
        check["annotations"] += output.pop("annotations", [])
        check["output"].update(output, annotations_count=len(check["annotations"]))


def _too_long(body):
    if len(body) <= LONGEST_BODY:
        return None
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
    told = f"Body is too long (maximum is {LONGEST_BODY} characters)"
    return 422, {"message": "Validation Failed", "errors": [{**error, "message": told}]}, {}


def _bad_check(body):
    output = body.get("output", {})
    told = None
    if len(output.get("annotations", [])) > MOST_ANNOTATIONS:
        told = "Only 50 annotations can be created per request"
    elif len(output.get("summary", "").encode()) > 65_535:
        told = "Summary exceeds a maximum bytesize of 65535"
    elif output and not {"title", "summary"} <= set(output):
        told = "output needs title and summary"
    return (422, {"message": f"Invalid request.\n\n{told}"}, {}) if told else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, so that no delayed acknowledgement is waited for
    github: GitHub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        github = self.github
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        body = json.loads(raw) if raw else None
        parts = urlsplit(self.path)
        github.asked.append(Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        path = parts.path.removeprefix(github.prefix)
        self._meanwhile(path)
        trouble = self._trouble(path)
        if trouble is None or trouble.done_first:
            answered = self._answered(parts, path, body)
        if trouble is not None:
            if not trouble.status:
                self.close_connection = True
                self.connection.close()
                return
            answered = (trouble.status, trouble.body or {"message": "Trouble"}, trouble.headers)
        self._send(*answered)

    def _meanwhile(self, path: str) -> None:
        """What happens between the request and its answer: the first thing that is planned for it."""
        with self.github.lock:
            fitting = (one for one in self.github.before if one[0] == self.command and re.fullmatch(one[1], path))
            planned = next(fitting, None)
            if planned is not None:
                self.github.before.remove(planned)
        if planned is not None:
            planned[2]()

    def _answered(self, parts, path, body):
        if not parts.path.startswith(f"{self.github.prefix}/"):
            return 404, {"message": "Not Found"}, {}
        if not self.headers.get("user-agent"):
            return 403, {"message": "Request forbidden by administrative rules."}, {}
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.github.tokens:
            return 401, {"message": "Bad credentials"}, {}
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        return self.github.answer(self.command, path, query, body, self.github.tokens[token])

    def _trouble(self, path: str) -> Trouble | None:
        for trouble in self.github.troubles:
            if trouble.times and trouble.method == self.command and re.fullmatch(trouble.path, path):
                trouble.times -= 1
                return trouble
        return None

    def _send(self, status: int, content: object, headers: dict[str, str]) -> None:
        raw = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        standing = {
            "Content-Type": "application/json; charset=utf-8",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4999",
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
        }
        for name, value in {**standing, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - as http.server calls them


@contextmanager
def serving(prefix: str = ""):
    """A GitHub at an address of its own, while the block runs."""
    github = GitHub(prefix)
    handler = type("Handler", (_Handler,), {"github": github})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    github.url = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
