"""`receipt` as a job of CI, and whoever deploys, call it: a real check of a real commit, and real keys."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.receipt import CI, Maker, receipt_of, statement_of
from d2b_gate.core.receipt_reading import PAYLOAD, read_envelope
from d2b_gate.forge.signing import require_signed, signed
from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY, World, environment, said
from tests.forge.runner import BLANK
from tests.reports.verdicts import QUIET, verdict

KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


def private_pem(key, passphrase=b""):
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Site:
    """A repository, the commit that CI judges, and keys beside it."""

    world: World
    commit: str
    variables: dict[str, str] = field(default_factory=dict)

    def gate(self, *arguments, **more):
        done = self.world.gate(*arguments, **{**BLANK, **self.variables, **more})
        assert "Traceback" not in done.stderr
        return done

    def write(self, name, content):
        (self.world.root / name).write_bytes(content)
        return name

    def receipt(self, *flags, **more):
        return self.gate("receipt", "create", "result.json", "--output", "receipt.json", *flags, **more)

    def verify(self, *flags):
        return self.gate("receipt", "verify", "receipt.json", "--key", "key.pub", *(flags or ("--commit", self.commit)))


def site_of(tmp_path_factory, rows):
    home = tmp_path_factory.mktemp("site")
    world = World(home / "repository", home)
    world.root.mkdir()
    world.git("init", "--quiet", "--initial-branch=main")
    world.stage("d2b-gate.toml", POLICY)
    world.stage("data/base.jsonl", BASE)
    base = world.commit()
    world.stage("data/new.jsonl", rows)
    commit = world.commit()
    site = Site(world, commit)
    site.variables = {
        "CI": "true",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REPOSITORY": "acme/data",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": commit,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_WORKFLOW_REF": "acme/data/.github/workflows/gate.yml@refs/heads/main",
    }
    site.gate("check", "--from-ref", base, "--to-ref", commit, "--output-file", "json=result.json")
    key = ed25519.Ed25519PrivateKey.generate()
    site.write("key.pem", private_pem(key))
    site.write("key.pub", public_pem(key))
    return site


@pytest.fixture(scope="module")
def passing(tmp_path_factory):
    return site_of(tmp_path_factory, HARMLESS)


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    return site_of(tmp_path_factory, HARMFUL)


@pytest.fixture
def site(passing):
    """One whose receipt is signed, by CI."""
    done = passing.receipt("--key", "key.pem")
    assert (done.returncode, done.stderr) == (0, "d2b-gate: PASSED: receipt in receipt.json\n")
    return passing


def statement(site):
    return json.loads(site.gate("receipt", "show", "receipt.json", "--format", "json").stdout)


# made and verified


def test_a_receipt_of_ci_verifies(site):
    done = site.verify()
    assert done.returncode == 0
    base = site.world.git("rev-parse", "HEAD^1")
    assert done.stdout == f"PASSED  commit {site.commit[:12]}  base {base[:12]}  made by acme/data run 77 (push)\n"
    assert done.stderr.startswith("d2b-gate: signed by the key ")
    digest = statement(site)["predicate"]["configuration"][0]["digest"]["sha256"]
    everything = ("--commit", site.commit, "--base", base, "--result", "result.json", "--policy-digest", digest)
    assert site.verify(*everything, "--repository", "acme/data").returncode == 0
    assert site.verify(*everything, "--quiet").stderr == ""


def test_the_result_knows_its_commits(site):
    found = statement(site)
    base = site.world.git("rev-parse", "HEAD^1")
    assert found["subject"][1] == {"name": "commit", "digest": {"gitCommit": site.commit}}
    assert found["predicate"]["d2b-gate"]["base_commit"] == base
    assert found["predicate"]["passedTests"] == ["animal-preference", "control canary", "control null"]


def test_a_receipt_that_says_failed_exits_with_1(failing):
    assert failing.receipt("--key", "key.pem").returncode == 0
    done = failing.verify()
    assert done.returncode == 1
    base = failing.world.git("rev-parse", "HEAD^1")
    assert done.stdout == f"FAILED  commit {failing.commit[:12]}  base {base[:12]}  made by acme/data run 77 (push)\n"


@pytest.mark.parametrize("kind", KEYS)
def test_kinds_of_keys(site, kind):
    key = KEYS[kind]()
    site.write("other.pem", private_pem(key, b"open sesame"))
    site.write("other.pub", public_pem(key))
    more = {"D2B_GATE_SIGNING_KEY": "other.pem", "D2B_GATE_SIGNING_PASSPHRASE": "open sesame"}
    assert site.receipt(**more).returncode == 0
    assert site.verify().returncode == 3, "it is by another key"
    assert site.verify("--key", "other.pub", "--commit", site.commit).returncode == 0, "one of several keys"


def test_show_prints_what_it_says_and_trusts_nothing(site):
    done = site.gate("receipt", "show", "receipt.json")
    assert done.returncode == 0
    shown = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert shown["says"] == "PASSED (exit 0)"
    assert shown["commit"] == site.commit
    assert shown["made"] == "ci acme/data run 77"
    assert shown["event"] == "push refs/heads/main"
    assert shown["signed"].endswith("by its own word: `d2b-gate receipt verify` tells")


def test_show_obeys_nothing_in_it(site):
    hostile = statement(site)
    hostile["predicate"]["passedTests"] = ["::error::x", "\x1b[2J\u202e"]
    hostile["predicate"]["url"] = "a\nb"
    site.write("hostile.json", json.dumps(hostile).encode())
    done = site.gate("receipt", "show", "hostile.json")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\\x3a:error" in done.stdout
    assert "anybody can have written this" in done.stdout


# what does not verify


def test_an_unsigned_receipt_never_verifies(passing):
    done = passing.receipt()
    assert done.returncode == 0
    assert "the receipt is not signed, and so verifies nowhere: give --key" in done.stderr
    assert said(passing.verify()).startswith("the receipt is not signed; ")
    assert passing.verify("--commit", passing.commit, "--allow-local").returncode == 3


def test_another_key_does_not_verify(site):
    site.write("other.pub", public_pem(ed25519.Ed25519PrivateKey.generate()))
    done = site.gate("receipt", "verify", "receipt.json", "--key", "other.pub", "--commit", site.commit)
    assert done.returncode == 3
    assert said(done).startswith("no signature of the receipt is by the given key; ")


def test_the_receipt_of_one_change_does_not_do_for_another(site, failing):
    assert said(site.verify("--commit", failing.commit)).startswith("the receipt does not hold: it is of the commit ")
    other = str(failing.world.root / "result.json")
    assert said(site.verify("--result", other)).startswith("the receipt does not hold: it is of the result ")
    altered = (site.world.root / "result.json").read_bytes() + b"\n"
    site.write("altered.json", altered)
    assert site.verify("--result", "altered.json").returncode == 3, "a subject is named by its bytes"
    assert "it is compared with " in said(site.verify("--commit", site.commit, "--base", site.commit))
    assert "by the policy" in said(site.verify("--commit", site.commit, "--policy-digest", "0" * 64))
    assert "for the repository acme/data" in said(site.verify("--commit", site.commit, "--repository", "a/b"))


def test_a_receipt_that_is_held_against_nothing_proves_nothing(site):
    done = site.gate("receipt", "verify", "receipt.json", "--key", "key.pub")
    assert done.returncode == 2
    assert said(done).startswith("a receipt of one change must not do for another; say what it must be of: ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"passed": ()}, "it says PASSED and names no rule that was judged"),
        ({"passed": ("control null", "row schema")}, "it says PASSED and names no rule that was judged"),
        ({"base_commit": "a" * 40}, "it compares the commit aaaaaaaaaaaa with itself"),
    ],
)
def test_a_signed_receipt_that_judged_nothing_proves_nothing(site, changes, sentence):
    judged = receipt_of(verdict(QUIET), "ab" * 32, Maker(CI, "acme/data", "77", event="workflow_dispatch"))
    hollow = replace(judged, **{"commit": "a" * 40, "base_commit": "b" * 40, **changes})
    pem = (site.world.root / "key.pem").read_bytes()
    site.write("receipt.json", signed(json.dumps(statement_of(hollow)).encode(), pem, "", "key"))
    done = site.verify("--commit", "a" * 40)
    assert done.returncode == 3
    assert said(done).startswith(f"the receipt does not hold: {sentence}; ")


def test_a_local_receipt_does_not_do_for_ci(passing):
    assert passing.receipt("--key", "key.pem", CI="", GITHUB_RUN_ID="").returncode == 0
    done = passing.verify()
    assert done.returncode == 3
    assert said(done).startswith("the receipt does not hold: it was made in the context local, and not by CI; ")
    assert passing.verify("--commit", passing.commit, "--allow-local").returncode == 0


def test_ci_that_does_not_say_which_run_it_is_makes_local_receipts(passing):
    assert passing.receipt("--key", "key.pem", GITHUB_RUN_ID="").returncode == 0
    assert "context local" in said(passing.verify())


def test_gitlab_says_which_job_it_is(passing):
    job = {"CI_PROJECT_PATH": "acme/data", "CI_JOB_ID": "5", "CI_COMMIT_SHA": passing.commit}
    assert passing.receipt("--key", "key.pem", GITHUB_RUN_ID="", **job).returncode == 0
    assert passing.verify("--commit", passing.commit, "--repository", "acme/data").returncode == 0


def test_an_empty_key_is_a_mistake_and_no_wish_for_an_unsigned_receipt(passing):
    done = passing.receipt("--key", "", D2B_GATE_SIGNING_KEY="key.pem")
    assert done.returncode == 2
    assert said(done).startswith("--key is empty; ")


# what CI does not vouch for


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"GITHUB_SHA": "0" * 40}, "the result is of the commit {}, and this run is of 000000000000; "),
        ({"GITHUB_SHA": ""}, "the result is of the commit {}, and this run is of (none); "),
        ({"GITHUB_EVENT_NAME": "workflow_run"}, "a run of the event 'workflow_run' vouches for no result: "),
        ({"GITHUB_EVENT_NAME": "pull_request_target"}, "a run of the event 'pull_request_target' vouches for no "),
        ({"GITHUB_EVENT_NAME": ""}, "a run of the event '' vouches for no result: "),
    ],
)
def test_ci_vouches_for_its_own_commit_alone(passing, more, sentence):
    (passing.world.root / "receipt.json").unlink(missing_ok=True)
    done = passing.receipt("--key", "key.pem", **more)
    assert done.returncode == 2
    assert said(done).startswith(sentence.format(passing.commit[:12]))
    assert not (passing.world.root / "receipt.json").exists()


def test_ci_does_not_vouch_for_what_is_no_commit(passing):
    passing.gate("check", "--all", "--output-file", "json=all.json")
    done = passing.gate("receipt", "create", "all.json", "--output", "all.receipt", "--key", "key.pem")
    assert done.returncode == 2
    assert said(done).startswith("the result is of no commit, so CI cannot vouch for it; ")
    local = ("receipt", "create", "all.json", "--output", "all.receipt", "--key", "key.pem")
    assert passing.gate(*local, CI="").returncode == 0
    flags = ("--key", "key.pub", "--result", "all.json", "--allow-local")
    assert passing.gate("receipt", "verify", "all.receipt", *flags).returncode == 0


# mistakes


def test_mistakes_with_keys_are_one_sentence(site):
    weak = rsa.generate_private_key(65537, 1024)
    site.write("weak.pem", private_pem(weak))
    site.write("weak.pub", public_pem(weak))
    old = dsa.generate_private_key(2048)
    site.write("dsa.pem", private_pem(old))
    site.write("dsa.pub", public_pem(old))
    site.write("locked.pem", private_pem(ed25519.Ed25519PrivateKey.generate(), b"open sesame"))
    site.write("none.pem", b"hello")
    site.write("large.pem", b"-" * 70_000)
    create = ("receipt", "create", "result.json", "--output", "mistake.json", "--key")
    verify = ("receipt", "verify", "receipt.json", "--commit", site.commit, "--key")
    wrong = {"D2B_GATE_SIGNING_PASSPHRASE": "wrong"}
    for command, key, more, code, sentence in (
        (create, "weak.pem", {}, 2, "weak.pem: an RSA key of 1024 bits is too short; "),
        (create, "dsa.pem", {}, 2, "dsa.pem: it is no usable private key in PEM form; "),
        (create, "locked.pem", {}, 2, "locked.pem: its passphrase is missing, or it has none; "),
        (create, "key.pem", wrong, 2, "key.pem: its passphrase is missing, or it has none; "),
        (create, "locked.pem", wrong, 2, "locked.pem: it is no usable private key in PEM form; "),
        (create, "none.pem", {}, 2, "none.pem: it is no usable private key in PEM form; "),
        (create, "absent.pem", {}, 2, "absent.pem: cannot read the key: "),
        (create, "large.pem", {}, 3, "large.pem: the key is larger than "),
        (verify, "weak.pub", {}, 2, "weak.pub: an RSA key of 1024 bits is too short; "),
        (verify, "dsa.pub", {}, 2, "dsa.pub: it is no usable public key in PEM form; "),
        (verify, "none.pem", {}, 2, "none.pem: it is no usable public key in PEM form; "),
        (verify, "key.pem", {}, 2, "key.pem: it is a private key; "),
    ):
        done = site.gate(*command, key, **more)
        assert (done.returncode, said(done)[: len(sentence)]) == (code, sentence)
        assert "sesame" not in done.stderr
    assert not (site.world.root / "mistake.json").exists()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--commit", "abc"), "--commit 'abc' is no whole commit id; "),
        (("--commit", ""), "--commit '' is no whole commit id; "),
        (("--commit", "a" * 40, "--base", ""), "--base '' is no whole commit id; "),
        (("--result", "none.json"), "none.json: cannot read the result: "),
        (("--commit", "a" * 40, "--policy-digest", ""), "--policy-digest '' is no SHA-256; "),
        (("--commit", "a" * 40, "--repository", ""), "--repository is empty; "),
    ],
)
def test_an_empty_variable_is_a_mistake_and_not_another_question(site, flags, sentence):
    done = site.verify(*flags)
    assert done.returncode == 2
    assert said(done).startswith(sentence)


def test_without_the_libraries_it_says_what_to_install(site):
    hidden = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'securesystemslib' else find(name, *more)\n"
        "from d2b_gate.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden, "receipt", "verify", "receipt.json", "--key", "key.pub", "--commit", "a" * 40],
        cwd=site.world.root,
        env=environment(site.world.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert said(done) == 'signatures need securesystemslib; run: pip install "d2b-gate[sign]"'


# tampering


KEY = ed25519.Ed25519PrivateKey.generate()
ENVELOPE = signed(b'{"a": 1, "b": [2, 3]}', private_pem(KEY), "", "key")
PUBLIC = [("key", public_pem(KEY))]
whatever = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_untampered_envelope_verifies():
    assert require_signed(read_envelope(ENVELOPE), PUBLIC)


@whatever
@given(st.integers(0, len(ENVELOPE) - 1), st.integers(0, 255))
def test_a_changed_byte_verifies_only_where_it_means_the_same(at, byte):
    """White space and the key's name are no part of what is signed; every byte of payload and signature is."""
    tampered = ENVELOPE[:at] + bytes([byte]) + ENVELOPE[at + 1 :]
    try:
        envelope = read_envelope(tampered)
        require_signed(envelope, PUBLIC)
    except EvaluationError:
        return
    assert envelope.payload == read_envelope(ENVELOPE).payload
    assert [sig for _, sig in envelope.signatures] == [sig for _, sig in read_envelope(ENVELOPE).signatures]


@whatever
@given(st.data())
def test_a_changed_field_of_a_statement_never_verifies(data):
    whole = statement_of(receipt_of(verdict(QUIET), "ab" * 32, Maker(CI, "acme/data", "77")))
    envelope = json.loads(signed(json.dumps(whole).encode(), private_pem(KEY), "", "key"))
    places = [(key,) for key in whole] + [("predicate", key) for key in whole["predicate"]]
    places += [("predicate", "d2b-gate", key) for key in whole["predicate"]["d2b-gate"]]
    *above, last = data.draw(st.sampled_from(places))
    inside = whole
    for key in above:
        inside = inside[key]
    before = inside[last]
    inside[last] = data.draw(st.text(max_size=3) | st.integers() | st.just([]) | st.just({}))
    envelope["payload"] = base64.b64encode(json.dumps(whole).encode()).decode()
    found = read_envelope(json.dumps(envelope).encode())
    if inside[last] == before:
        assert require_signed(found, PUBLIC)
    else:
        with pytest.raises(EvaluationError, match="no signature of the receipt"):
            require_signed(found, PUBLIC)


def test_a_signature_of_another_payload_type_does_not_do():
    """DSSE signs the type too."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    other = Envelope(b"{}", "text/plain", {})
    other.sign(CryptoSigner(KEY))
    forged = {**other.to_dict(), "payloadType": PAYLOAD}
    with pytest.raises(EvaluationError, match="no signature"):
        require_signed(read_envelope(json.dumps(forged).encode()), PUBLIC)
