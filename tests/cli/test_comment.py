"""`comment` against a small GitHub on loopback, as a job of a workflow calls it."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from d2b_gate.core.verdict import RowFinding, Status
from d2b_gate.forge.sticky import marker
from tests.cli.support import World, said
from tests.forge.runner import HEAD, Job
from tests.forge.server import BOT, REPOSITORY, TOKEN, Trouble, serving
from tests.reports.verdicts import EDITS, EXAMPLES, FAILED, PROVENANCE, QUIET, WARNED, verdict

BAD, CLEAN = verdict(FAILED, QUIET), verdict(QUIET)
MARK = marker("d2b-gate.toml")
COMMENTS = rf"/repos/{REPOSITORY}/issues/7/comments"


@pytest.fixture
def github():
    with serving() as server:
        server.pull(7, HEAD)
        yield server


@pytest.fixture
def job(tmp_path, github):
    job = Job(tmp_path, github)
    job.pull_request()
    return job


def told(done, code=0):
    """What it said of itself, with every id as N."""
    assert done.returncode == code, done.stderr
    return re.sub(r"issuecomment-\d+", "issuecomment-N", done.stderr.removeprefix("d2b-gate: ").rstrip("\n"))


# one comment, in place, on signal


def test_a_failure_creates_the_comment(job, github, snapshot):
    assert told(job.comment(BAD)) == (
        "the comment on acme/data#7 is created https://github.example/acme/data/pull/7#issuecomment-N"
    )
    (body,) = github.bodies()
    assert body == snapshot
    assert body.startswith(f"{MARK}\n**d2b-gate: FAIL**")
    assert body.endswith(f"<sub>commit {HEAD}, [run](https://github.example/acme/data/actions/runs/77)</sub>\n")


def test_a_second_run_updates_it_in_place(job, github):
    job.comment(BAD)
    first = github.comments[0]["id"]
    assert "is updated" in told(job.comment(verdict(WARNED)))
    assert [one["id"] for one in github.comments] == [first]
    assert "WARN" in github.bodies()[0]
    assert "FAIL" not in github.bodies()[0].partition("\n\n")[0]


@pytest.mark.parametrize("change", [{}, {"seconds": 99.5, "rows_cached": 1}], ids=["the same", "another duration"])
def test_what_says_the_same_is_not_written_again(job, github, change):
    job.comment(BAD)
    github.asked.clear()
    again = job.comment(replace(BAD, **change), GITHUB_RUN_ID="78")
    assert "is left as it is, for it says the same: https" in told(again)
    assert {one.method for one in github.asked} == {"GET"}


def test_line_ends_that_the_forge_changed_are_no_difference(job, github):
    job.comment(BAD)
    github.comments[0]["body"] = github.comments[0]["body"].replace("\n", "\r\n")
    assert "says the same" in told(job.comment(BAD))


def test_a_clean_verdict_is_not_posted_but_ends_an_earlier_one(job, github):
    assert told(job.comment(CLEAN)).startswith("no comment: the verdict is clean")
    assert github.bodies() == []
    job.comment(BAD)
    assert "is updated" in told(job.comment(CLEAN))
    assert github.bodies()[0].startswith(f"{MARK}\n**d2b-gate: ok**")


def test_always_posts_a_clean_verdict_too(job, github):
    assert "is created" in told(job.comment(CLEAN, "--always"))


@pytest.mark.parametrize(
    "signal",
    [
        verdict(WARNED),
        EXAMPLES["inconclusive"],
        replace(CLEAN, deferred="there is no model here"),
        replace(CLEAN, row_findings=(RowFinding("sft", "data/a.jsonl", 3, "no"),)),
        replace(CLEAN, policy_changes=EDITS),
    ],
    ids=["warned", "inconclusive", "deferred", "row schema", "policy edited"],
)
def test_what_somebody_should_look_at_is_posted(job, github, signal):
    assert "is created" in told(job.comment(signal))


def test_it_works_as_a_process(job, github):
    done = World(job.place, job.place).gate("comment", job.result(BAD), **job.variables)
    assert "is created" in told(done)
    assert done.stdout == ""
    assert len(github.comments) == 1


def test_quiet_says_nothing(job):
    assert told(job.comment(BAD, "--quiet")) == ""


def test_gates_of_one_repository_keep_a_comment_each(job, github):
    job.comment(BAD)
    other = replace(BAD, provenance=replace(PROVENANCE, policy_path=".github/d2b-gate.toml"))
    job.comment(other)
    job.comment(BAD, "--key", "nightly")
    assert len({body.partition("\n")[0] for body in github.bodies()}) == 3
    github.asked.clear()
    job.comment(BAD)
    job.comment(other)
    job.comment(CLEAN, "--key", "nightly")
    assert [one.method for one in github.asked if one.method != "GET"] == ["PATCH"]


def test_the_largest_report_stays_below_the_limit(job, github):
    wide = tuple(
        replace(FAILED, rule=replace(FAILED.rule, id=f"rule-{index}", why="字" * 500), reason="<b>&`" * 200)
        for index in range(300)
    )
    rows = tuple(RowFinding("sft", f"data/{'d' * 150}.jsonl", index, "@all " * 100) for index in range(1, 200))
    huge = replace(verdict(*wide), row_findings=rows, notes=("note " * 100,) * 100, policy_changes=EDITS * 30)
    assert "is created" in told(job.comment(huge))
    assert 30_000 < len(github.bodies()[0]) <= 65_536


def test_hostile_text_stays_text(job, github):
    hostile = replace(
        FAILED,
        rule=replace(FAILED.rule, id=f"x\n{marker('other')}", why="<!-- --> @acme/all [click](http://evil.example)"),
        reason="</details><script>alert(1)</script>\n::error::gotcha",
    )
    job.comment(verdict(hostile))
    (body,) = github.bodies()
    outside = re.sub(r"`[^`\n]*`", "", body.partition("\n")[2])
    for piece in ("<script", "@acme", "<!--", "http://evil", "\n::error"):
        assert piece not in outside


# whose comment it is


@pytest.mark.parametrize("author", ["mallory", "other-app[bot]", ""])
def test_a_marker_in_what_somebody_else_wrote_means_nothing(job, github, author):
    forged = github.comment(author, f"{MARK}\nall is well")
    if not author:
        forged["user"] = None  # a deleted account
    assert "is created" in told(job.comment(BAD))
    assert github.comments[0]["body"] == f"{MARK}\nall is well"
    assert "is updated" in told(job.comment(CLEAN))
    assert github.comments[0]["body"] == f"{MARK}\nall is well"


@pytest.mark.parametrize("body", [f"see\n{MARK}", f"> {MARK}", f" {MARK}", MARK[:-1], marker("else"), None], ids=repr)
def test_only_a_comment_that_begins_with_the_marker_is_ours(job, github, body):
    github.comment(BOT, body)
    assert "is created" in told(job.comment(BAD))
    assert github.comments[0]["body"] == body


def test_a_users_token_writes_as_that_user(job, github):
    github.tokens[TOKEN] = "Alice"
    github.comment("bob", f"{MARK}\nno")
    github.comment(BOT, f"{MARK}\nno")
    ours = github.comment("Alice", f"{MARK}\nold")
    assert "is updated" in told(job.comment(BAD))
    assert ours["body"] != f"{MARK}\nold"
    assert [one["body"] for one in github.comments[:2]] == [f"{MARK}\nno"] * 2


def test_an_app_of_ones_own_is_named(job, github):
    github.tokens[TOKEN] = "gate-app[bot]"
    github.comment("gate-app[bot]", f"{MARK}\nold")
    assert "is updated" in told(job.comment(BAD, "--author", "Gate-App[bot]"))
    assert len(github.comments) == 1


def test_an_app_that_was_not_named_still_ends_with_one_comment(job, github):
    github.tokens[TOKEN] = "gate-app[bot]"
    ours = github.comment("gate-app[bot]", f"{MARK}\nold")
    lines = told(job.comment(BAD)).splitlines()
    assert lines[1].endswith("this token writes as gate-app[bot]: name it with --author, so that it is known")
    assert github.comments == [ours]
    assert "FAIL" in ours["body"]


# many comments, and several runs at once


def test_the_comment_is_found_on_a_later_page(job, github):
    github.page_limit = 3
    for index in range(7):
        github.comment("octocat", f"comment {index}")
    job.comment(BAD)
    github.asked.clear()
    assert "is updated" in told(job.comment(CLEAN))
    pages = [one.path for one in github.asked if one.method == "GET" and "/issues/7/comments" in one.path]
    assert len(pages) == 3
    assert all(one.headers["authorization"] == f"Bearer {TOKEN}" for one in github.asked)


def test_a_run_that_came_second_folds_its_comment_into_the_first(job, github):
    def race():
        github.comment(BOT, f"{MARK}\nby the other run")

    github.before.append(("POST", COMMENTS, race))
    assert "is created" in told(job.comment(BAD))
    (body,) = github.bodies()
    assert "FAIL" in body


def test_runs_at_once_leave_one_comment(job, github):
    """Real processes, let loose together once the server has answered each that no comment is there."""
    count = 4
    together = threading.Barrier(count, timeout=60)
    github.before += [("POST", COMMENTS, together.wait)] * count
    names = [job.result(many_failures(index + 1), f"result-{index}.json") for index in range(count)]
    with ThreadPoolExecutor(count) as pool:
        runs = pool.map(lambda name: World(job.place, job.place).gate("comment", name, **job.variables), names)
        assert [(run.returncode, run.stderr) for run in runs if run.returncode] == []
    assert len(github.comments) == 1
    assert "FAIL" in github.bodies()[0]


def test_copies_of_ours_go_when_one_is_updated(job, github):
    first = github.comment(BOT, f"{MARK}\none")
    github.comment("octocat", f"{MARK}\nmine")
    github.comment(BOT, f"{MARK}\ntwo")
    github.troubles.append(Trouble("DELETE", ".*", 404))
    job.comment(BAD)
    assert len(github.comments) == 3, "another run has folded it: that is fine"
    job.comment(CLEAN)
    assert [one["user"]["login"] for one in github.comments] == [BOT, "octocat"]
    assert github.comments[0] is first


# which pull request


def test_a_run_of_a_commit_that_is_no_longer_the_head_says_nothing(job, github):
    github.pull(7, "c" * 40)
    assert told(job.comment(BAD)) == (
        "no comment: the head of #7 is ccccccc by now, and a1a1a1a was judged: a newer push will comment"
    )
    assert github.bodies() == []


@pytest.mark.parametrize("owner", ["acme", "mallory"])
@pytest.mark.parametrize("listed", [True, False], ids=["by commit", "by branch"])
def test_a_workflow_run_finds_the_pull_request_by_its_commit(job, github, owner, listed):
    github.listed_by_commit = listed
    github.pull(7, HEAD, fork=owner)
    github.pull(8, "c" * 40, fork=owner)
    job.workflow_run(owner=owner)
    assert "acme/data#7 is created" in told(job.comment(BAD))
    judging = "https://github.example/acme/data/actions/runs/76"
    assert github.bodies()[0].endswith(f"[run]({judging})</sub>\n"), "the run that judged, not the one that publishes"


def test_a_workflow_run_of_an_older_push_says_nothing(job, github):
    github.pull(7, "c" * 40)
    github.pulls[7]["holds"] = HEAD  # GitHub lists a pull request for each commit that it holds
    job.workflow_run()
    assert told(job.comment(BAD)).startswith("no comment: no open pull request has the head a1a1a1a: ")
    assert told(job.comment(BAD, "--pull-request", "7")).startswith("no comment: the head of #7 is ccccccc by now, ")
    assert github.bodies() == []


def test_a_workflow_run_takes_no_number_on_trust(job, github):
    github.pull(8, "c" * 40)
    job.workflow_run()
    assert "by now" in told(job.comment(BAD, "--pull-request", "8"))
    assert "acme/data#7 is created" in told(job.comment(BAD, "--pull-request", "7"))
    assert github.bodies(8) == []


def test_a_workflow_run_of_a_closed_pull_request_says_nothing(job, github):
    github.pull(7, HEAD, state="closed")
    job.workflow_run()
    assert told(job.comment(BAD)).startswith("no comment: no open pull request has the head")
    assert told(job.comment(BAD, "--pull-request", "7")) == "no comment: pull request #7 is closed"


def test_a_workflow_run_whose_commit_heads_two_pull_requests_does_not_guess(job, github):
    github.pull(8, HEAD)
    job.workflow_run()
    assert told(job.comment(BAD), 3) == (
        "error: the commit a1a1a1a is the head of several open pull requests: #7, #8; name one with --pull-request"
    )
    assert "acme/data#8 is created" in told(job.comment(BAD, "--pull-request", "8"))


def test_a_pull_request_of_another_repository_is_not_meant(job, github):
    github.pulls[7]["base"]["repo"]["full_name"] = "elsewhere/data"
    job.workflow_run()
    assert told(job.comment(BAD)).startswith("no comment: no open pull request")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("merge_group", {"merge_group": {"head_sha": HEAD}}, "a merge group has no pull request of its own"),
        ("push", {"after": HEAD}, "a push has no pull request"),
        ("workflow_dispatch", {}, "the event 'workflow_dispatch' has no pull request; name one with --pull-request"),
    ],
)
def test_events_without_a_pull_request_say_so(job, github, name, content, words):
    job.event(name, content)
    assert told(job.comment(BAD)) == f"no comment: {words}"
    assert github.asked == []
    assert "is created" in told(job.comment(BAD, "--pull-request", "7"))


@pytest.mark.parametrize("kind", ["push", "merge_group", "schedule"])
def test_a_workflow_run_that_followed_no_pull_request_says_so(job, github, kind):
    job.workflow_run(of=kind)
    assert told(job.comment(BAD)).startswith("no comment: a ")
    assert github.asked == []


def test_outside_a_workflow_flags_say_everything(job, github):
    flags = ("--repository", REPOSITORY, "--pull-request", "7", "--api-url", f"{github.url}/")
    alone = {"GITHUB_EVENT_PATH": "", "GITHUB_REPOSITORY": "", "GITHUB_API_URL": "", "GITHUB_RUN_ID": ""}
    alone |= {"GITHUB_TOKEN": "", "D2B_GATE_GITHUB_TOKEN": TOKEN}
    assert "is created" in told(job.comment(BAD, *flags, **alone))
    assert "<sub>commit" not in github.bodies()[0], "nothing said which commit was judged"
    assert "is updated" in told(job.comment(BAD, *flags, "--commit", HEAD, **alone))
    assert github.bodies()[0].endswith(f"<sub>commit {HEAD}</sub>\n")
    assert "by now" in told(job.comment(CLEAN, *flags, "--commit", "c" * 40, **alone))


@pytest.mark.parametrize(
    ("flags", "more", "sentence"),
    [
        ((), {"GITHUB_EVENT_PATH": ""}, "no pull request is named; write --pull-request N; "),
        ((), {"GITHUB_TOKEN": ""}, "there is no token; set GITHUB_TOKEN "),
        ((), {"GITHUB_TOKEN": "a b"}, "the token holds characters that no token has; "),
        ((), {"GITHUB_REPOSITORY": ""}, "no repository is named; "),
        (("--repository", "acme/../x"), {}, "'acme/../x' is no repository; "),
        (("--repository", "../user"), {}, "'../user' is no repository; "),
        (("--commit", ""), {}, "--commit is empty; "),
        (("--repository", ""), {}, "--repository is empty; "),
        (("--api-url", ""), {}, "--api-url is empty; "),
        (("--key", ""), {}, "--key is empty; "),
        (("--commit", "a1a1a1a"), {}, "--commit 'a1a1a1a' is no whole commit id; "),
        (("--commit", "c" * 40), {}, "--commit says ccccccc, and the workflow's event is about a1a1a1a; "),
        (("--api-url", "http://api.example"), {}, "the API's address at api.example would get the token unencrypted; "),
        (("--api-url", "https://u:p@api.example"), {}, "the API's address at api.example holds a user, "),
        (("--api-url", "ftp://api.example"), {}, "the API's address 'api.example' is no http address; "),
        (("--api-url", "api.example"), {}, "the API's address 'api.example' is no http address; "),
        ((), {"GITHUB_EVENT_PATH": "none.json"}, "none.json: cannot read the event: "),
        ((), {"GITHUB_EVENT_NAME": "pull_request_target"}, "pull_request_target gives a writing token "),
        ((), {"GITHUB_EVENT_NAME": "workflow_run"}, "event.workflow_run.head_sha: the file of GITHUB_EVENT_PATH "),
    ],
)
def test_mistakes_are_one_sentence(job, github, flags, more, sentence):
    done = job.comment(BAD, *flags, **more)
    assert done.returncode == 2
    assert said(done).startswith(sentence)
    assert github.asked == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pull_request": {"number": true}}', "[" * 100_000])
def test_an_event_that_is_none_is_one_sentence(job, content):
    (job.place / "event.json").write_text(content)
    done = job.comment(BAD)
    assert done.returncode == 2
    assert "is not as GitHub writes it" in said(done)


def test_a_result_that_is_none_is_told_before_anything_is_asked(job, github):
    (job.place / "bad.json").write_text('{"schema": "d2b-gate.result/1"}')
    assert job.gate("comment", "bad.json").returncode == 3
    assert job.gate("comment", "none.json").returncode == 2
    assert github.asked == []


def test_a_dry_run_writes_nothing(job, github):
    done = job.comment(BAD, "--dry-run")
    assert told(done) == "would create a comment on acme/data#7 as github-actions[bot]"
    assert done.stdout.startswith(f"{MARK}\n**d2b-gate: FAIL**")
    assert told(job.comment(CLEAN, "--dry-run")).startswith("would write nothing: ")
    job.comment(BAD)
    assert told(job.comment(BAD, "--dry-run")).startswith("would leave the comment, for it says the same")
    assert told(job.comment(CLEAN, "--dry-run")).startswith("would update the comment")
    assert [one.method for one in github.asked if one.method != "GET"] == ["POST"]


def test_an_enterprise_api_lies_below_a_path(tmp_path):
    with serving("/api/v3") as github:
        github.pull(7, HEAD)
        github.page_limit = 2
        for index in range(5):
            github.comment("octocat", str(index))
        job = Job(tmp_path, github)
        job.pull_request()
        assert "is created" in told(job.comment(BAD))
        assert "is updated" in told(job.comment(CLEAN))
        assert all(one.path.startswith("/api/v3/") for one in github.asked)
        wrong = github.url.removesuffix("/api/v3")
        assert said(job.comment(BAD, "--api-url", wrong)).startswith("the API answers 404 to GET http://127.0.0.1:")


# when the forge refuses, limits or fails


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (
            Trouble("GET", "/user", 401, body={"message": "Bad credentials"}),
            "401 to GET .*: Bad credentials; check tha",
        ),
        (
            Trouble("POST", COMMENTS, 403, body={"message": "Resource not accessible by integration"}),
            "403 to POST .*: Resource not accessible by integration; the job needs `permissions: pull-requests: write`",
        ),
        (Trouble("GET", COMMENTS, 404, body={"message": "Not Found"}), "404 to GET .*: Not Found; check --repository"),
        (
            Trouble(
                "POST", COMMENTS, 422, body={"message": "Validation Failed", "errors": [{"code": "unprocessable"}]}
            ),
            "422 to POST .*: Validation Failed; unprocessable; correct what the API names",
        ),
        (Trouble("GET", COMMENTS, 418, body=f"teapot {TOKEN}".encode()), "418 to GET .*; run it again later"),
        (Trouble("POST", COMMENTS, 403, body={"message": f"no\n\x1b[2J {TOKEN}"}), r"403 to POST .*: no.*\*\*\*; "),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Trouble) else "",
)
def test_a_refusal_says_what_to_do(job, github, trouble, sentence):
    trouble.times = 99
    github.troubles.append(trouble)
    done = job.comment(BAD)
    assert done.returncode == 3
    assert re.match(f"the API answers {sentence}", said(done))
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_says_how_long_is_waited_for(job, github, status):
    told_so = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    github.troubles += [
        Trouble("GET", COMMENTS, status, {"Retry-After": "1"}, told_so),
        Trouble("POST", COMMENTS, status, {"Retry-After": "1"}, told_so),
    ]
    started = time.monotonic()
    assert "is created" in told(job.comment(BAD))
    assert time.monotonic() - started >= 2
    assert len(github.comments) == 1


def test_the_primary_limit_is_waited_for_until_it_resets(job, github):
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()))}
    github.troubles.append(Trouble("GET", "/user", 403, spent, {"message": "API rate limit exceeded for installation"}))
    assert "is created" in told(job.comment(BAD))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Retry-After": "600"}, "600 s to wait"),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, " s to wait"),
        ({}, "60 s to wait"),
    ],
    ids=["retry-after", "reset", "neither"],
)
def test_a_limit_longer_than_the_time_is_not_waited_for(job, github, headers, words):
    body = {"message": "You have exceeded a secondary rate limit"}
    github.troubles.append(Trouble("GET", COMMENTS, 403, headers, body, times=99))
    started = time.monotonic()
    done = job.comment(BAD, "--timeout", "5")
    assert done.returncode == 3
    assert said(done).startswith("the API's rate limit is reached: ")
    assert words in said(done)
    assert "--timeout" in said(done)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_passing_failure_of_what_may_be_repeated_is_repeated(job, github, status, method):
    github.comment(BOT, f"{MARK}\nold")
    github.troubles.append(Trouble(method, ".*", status))
    assert "is updated" in told(job.comment(BAD))


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("done_first", [True, False], ids=["it was done", "it was not done"])
def test_a_comment_whose_answer_was_lost_is_looked_for(job, github, status, done_first):
    github.troubles.append(Trouble("POST", COMMENTS, status, done_first=done_first))
    assert "is created" in told(job.comment(BAD))
    assert len(github.comments) == 1
    assert len(github.said("POST")) == (1 if done_first else 2)


def test_a_forge_that_keeps_failing_is_given_up(job, github):
    github.troubles.append(Trouble("POST", COMMENTS, 502, times=99))
    done = job.comment(BAD)
    assert done.returncode == 3
    assert said(done).startswith("the API answers 502 to POST http")
    assert len(github.said("POST")) == 3


def test_a_forge_that_is_not_there_is_one_sentence(job):
    done = job.comment(BAD, "--api-url", "http://127.0.0.1:9", "--timeout", "0.5")
    assert done.returncode == 3
    assert said(done).startswith("the API cannot be reached: ")


def test_an_answer_that_is_not_githubs_is_one_sentence(job, github):
    github.troubles.append(Trouble("GET", "/user", 200, body=b"<html>a proxy</html>"))
    assert "is not JSON" in said(job.comment(BAD))
    github.troubles.append(Trouble("GET", COMMENTS, 200, body=[{"id": "7"}]))
    assert said(job.comment(BAD)).startswith("the API's answer is no comment (0.id: int_type); check --api-url")


# the token


def test_the_token_goes_to_no_other_origin(job, github):
    with serving() as elsewhere:
        away = f"{elsewhere.url}/repos/{REPOSITORY}/issues/7/comments"
        github.troubles.append(Trouble("GET", COMMENTS, 301, {"Location": away}))
        done = job.comment(BAD)
        assert done.returncode == 3
        assert said(done).startswith("the API points to another host, '127.0.0.1', which must not get the token; ")
        github.troubles.append(Trouble("GET", COMMENTS, 200, {"Link": f'<{away}?page=2>; rel="next"'}, []))
        github.troubles[-1].body = b"[]"
        assert job.comment(BAD).returncode == 3
        assert elsewhere.asked == []


def test_a_renamed_repository_is_followed_within_the_origin(job, github):
    to = f"{github.url}/repos/{REPOSITORY}/issues/7/comments"
    github.troubles += [
        Trouble("GET", r"/repos/acme/old/issues/7/comments", 301, {"Location": to}, times=9),
        Trouble("GET", r"/repos/acme/old/pulls/7", 301, {"Location": f"/repos/{REPOSITORY}/pulls/7"}, times=9),
        Trouble("POST", r"/repos/acme/old/issues/7/comments", 307, {"Location": to}, times=9),
    ]
    github.pulls[7]["base"]["repo"]["full_name"] = "acme/old"
    assert "is created" in told(job.comment(BAD, "--repository", "acme/old"))
    assert len(github.bodies()) == 1


def test_a_circle_of_redirects_ends(job, github):
    github.troubles.append(Trouble("GET", COMMENTS, 302, {"Location": f"{github.url}{COMMENTS}"}, times=99))
    assert "it redirects without end" in said(job.comment(BAD))


def test_a_netrc_does_not_replace_the_token(job, github):
    (job.place / ".netrc").write_text("machine 127.0.0.1 login mallory password hunter2\n")
    (job.place / ".netrc").chmod(0o600)
    assert "is created" in told(job.comment(BAD, NETRC=str(job.place / ".netrc")))
    assert {one.headers["authorization"] for one in github.asked} == {f"Bearer {TOKEN}"}


def test_a_proxy_never_sees_what_goes_to_loopback(job, github):
    with serving() as proxy:
        assert "is created" in told(job.comment(BAD, HTTP_PROXY=proxy.url, http_proxy=proxy.url))
        assert proxy.asked == []


def test_every_request_names_version_and_agent(job, github):
    job.comment(BAD)
    for one in github.asked:
        assert one.headers["accept"] == "application/vnd.github+json"
        assert one.headers["x-github-api-version"] == "2022-11-28"
        assert one.headers["user-agent"].startswith("d2b-gate/")


# check runs


def test_a_check_run_is_made_of_the_judged_commit(job, github, snapshot):
    done = told(job.comment(BAD, "--check-run")).splitlines()
    assert done[0] == "the check run is created: failure on acme/data at a1a1a1a"
    (check,) = github.checks
    assert check["name"] == "d2b-gate"
    assert check["head_sha"] == HEAD
    assert check["status"] == "completed"
    assert check["details_url"] == "https://github.example/acme/data/actions/runs/77"
    assert (check["output"]["title"], check["annotations"]) == snapshot
    assert check["output"]["summary"] == github.bodies()[0].partition("\n")[2].rpartition("\n<sub>")[0]


def test_a_check_run_that_says_the_same_is_left(job, github):
    job.comment(BAD, "--check-run")
    again = told(job.comment(replace(BAD, seconds=77.0), "--check-run"))
    assert again.startswith("the check run is left as it is, for it says the same: failure")
    assert "would create a check run: success" in told(job.comment(CLEAN, "--check-run", "--dry-run"))
    assert len(github.checks) == 1
    job.comment(CLEAN, "--check-run")
    assert [check["conclusion"] for check in github.checks] == ["failure", "success"]


@pytest.mark.parametrize("forged", [{"app": {"slug": "other"}}, {"external_id": "d2b-gate x"}, {"app": None}])
def test_a_check_run_of_somebody_else_is_not_ours(job, github, forged):
    job.comment(BAD, "--check-run")
    github.checks[0].update(forged)
    assert "the check run is created" in told(job.comment(BAD, "--check-run"))


@pytest.mark.parametrize(
    ("judged", "conclusion"),
    [
        (CLEAN, "success"),
        (verdict(WARNED), "success"),
        (BAD, "failure"),
        (replace(CLEAN, deferred="no model here"), "neutral"),
        (verdict(replace(FAILED, status=Status.INCONCLUSIVE, blocks=False)), "neutral"),
        (verdict(replace(FAILED, status=Status.INCONCLUSIVE, blocks=True)), "failure"),
        (verdict(replace(FAILED, status=Status.ERROR)), "failure"),
    ],
)
def test_conclusions(job, github, judged, conclusion):
    job.comment(judged, "--check-run", "--check-name", "gate / nightly")
    (check,) = github.checks
    assert (check["conclusion"], check["name"]) == (conclusion, "gate / nightly")


def many_failures(count):
    return verdict(*(replace(FAILED, rule=replace(FAILED.rule, id=f"rule-{index}")) for index in range(count)))


@pytest.mark.parametrize(("count", "requests"), [(50, 1), (51, 2), (120, 3), (500, 4)])
def test_annotations_are_sent_fifty_at_a_time(job, github, count, requests):
    job.comment(many_failures(count), "--check-run")
    (check,) = github.checks
    assert len(check["annotations"]) == min(count, 200)
    assert len({one["title"] for one in check["annotations"]}) == min(count, 200)
    assert len([one for one in github.asked if "/check-runs" in one.path and one.method != "GET"]) == requests
    assert "left as it is" in told(job.comment(many_failures(count), "--check-run"))


@pytest.mark.parametrize("done_first", [True, False], ids=["it was done", "it was not done"])
def test_a_check_run_whose_answer_was_lost_is_looked_for(job, github, done_first):
    github.troubles.append(Trouble("POST", rf"/repos/{REPOSITORY}/check-runs", 502, done_first=done_first))
    job.comment(many_failures(60), "--check-run")
    (check,) = github.checks
    assert len(check["annotations"]) == 60


@pytest.mark.parametrize("name", ["push", "merge_group"])
def test_a_commit_without_a_pull_request_has_a_check_run_all_the_same(job, github, name):
    job.event(name, {"after": HEAD, "merge_group": {"head_sha": HEAD}})
    done = told(job.comment(BAD, "--check-run")).splitlines()
    assert done[0].startswith("the check run is created: failure on acme/data at a1a1a1a")
    assert done[1].startswith("d2b-gate: no comment: a ")


def test_no_check_run_is_made_of_a_commit_that_nothing_names(job, github):
    job.event("workflow_dispatch", {})
    done = told(job.comment(BAD, "--check-run", "--pull-request", "7"))
    assert done.startswith("no check run: nothing says which commit was judged; ")
    job.comment(BAD, "--check-run", "--pull-request", "7", "--commit", HEAD)
    assert len(github.checks) == 1


def test_a_users_token_cannot_make_check_runs(job, github):
    github.tokens[TOKEN] = "octocat"
    done = job.comment(BAD, "--check-run")
    assert done.returncode == 3
    assert "You must authenticate via a GitHub App.; the job needs" in said(done)
