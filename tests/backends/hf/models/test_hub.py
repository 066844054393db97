"""Hub models: pinned commits, the hub's own hashes, no network once they are known. Only the download is replaced."""

from __future__ import annotations

import fnmatch
import hashlib
import shutil

import huggingface_hub
import pytest

from d2b_gate.backends.hf.models.listing import list_models
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.core.errors import EvaluationError, UsageError

from .conftest import later, spec

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Answers `snapshot_download` from a directory, in the layout of the real cache: links to files named by hash."""

    def __init__(self, source, home) -> None:
        self.source, self.home, self.calls = source, home, 0

    def __call__(self, repo_id, *, revision, allow_patterns, ignore_patterns):
        assert (repo_id, revision) == ("org/name", COMMIT)
        self.calls += 1
        snapshot = self.home / "snapshots" / revision
        for file in sorted(path for path in self.source.rglob("*") if path.is_file()):
            name = file.relative_to(self.source).as_posix()
            wanted = any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns)
            if wanted and not any(fnmatch.fnmatch(name, pattern) for pattern in ignore_patterns):
                self._link(file, snapshot / name)
        return str(snapshot)

    def _link(self, file, place) -> None:
        content = file.read_bytes()
        large = file.suffix == ".safetensors"
        named = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        blob = self.home / "blobs" / named.hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not blob.exists():
            shutil.copy(file, blob)
        if not place.exists():
            place.symlink_to(blob)


@pytest.fixture
def hub(model_dir, tmp_path, monkeypatch):
    fake = FakeHub(model_dir, tmp_path / "hf")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake)
    return fake


def pinned():
    return spec("org/name", revision=COMMIT)


def test_a_commit_is_downloaded_once(hub, cache):
    first = locate(pinned(), cache, None)
    assert (first.id, first.revision) == ("org/name", COMMIT)
    assert locate(pinned(), cache, None) == first
    assert hub.calls == 1
    assert list_models(cache)[-1].id == "org/name"


def test_only_what_loading_needs_is_asked_for(hub, cache, model_dir):
    (model_dir / "onnx").mkdir()
    for name in ("pytorch_model.bin", "modeling.py", "onnx/config.json", "consolidated.safetensors", "README.md"):
        (model_dir / name).write_bytes(b"{}")
    names = {one.name for one in locate(pinned(), cache, None).entries}
    assert "model.safetensors" in names
    assert not {name for name in names if name.endswith((".bin", ".py", ".md")) or "onnx" in name or "consol" in name}


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_download_that_is_not_what_the_hub_says_is_refused(hub, cache, name):
    snapshot = hub("org/name", revision=COMMIT, allow_patterns=["*"], ignore_patterns=[])
    blob = (hub.home / "snapshots" / COMMIT / name).resolve()
    blob.write_bytes(blob.read_bytes() + b" ")
    with pytest.raises(EvaluationError, match=r"hashes to \w+, but the hub says"):
        locate(pinned(), cache, None)
    assert snapshot


def test_a_changed_blob_is_noticed_later(hub, cache):
    files = locate(pinned(), cache, None)
    blob = (files.path / "config.json").resolve()
    blob.write_bytes(blob.read_bytes() + b" ")
    later(blob)
    with pytest.raises(EvaluationError, match=r"config.json of model org/name has sha256"):
        locate(pinned(), cache, None)


def test_files_that_were_added_or_cleaned_away_are_fetched_and_checked_again(hub, cache):
    files = locate(pinned(), cache, None)
    shutil.rmtree(hub.home)
    assert locate(pinned(), cache, None).entries[0].sha256 == files.entries[0].sha256
    assert hub.calls == 2


@pytest.mark.parametrize("revision", ["main", "v1.0", "abc1234", COMMIT.upper(), COMMIT + "0", COMMIT + "\n"])
def test_a_branch_is_refused(hub, cache, revision):
    with pytest.raises(UsageError, match="is no full commit hash"):
        locate(spec("org/name", revision=revision), cache, None)
    assert hub.calls == 0


def test_a_directory_of_the_checkout_cannot_stand_in(hub, cache, model_dir):
    (model_dir.parent / "org").mkdir()
    shutil.copytree(model_dir, model_dir.parent / "org" / "name")
    assert locate(pinned(), cache, model_dir.parent).path.is_relative_to(hub.home)


def test_a_model_with_code_is_refused(hub, cache, model_dir):
    (model_dir / "config.json").write_text('{"auto_map": {}}')
    with pytest.raises(EvaluationError, match="never run"):
        locate(pinned(), cache, None)


def test_no_network_is_one_sentence(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    with pytest.raises(EvaluationError, match="cannot download model org/name at 0123456789ab") as raised:
        locate(pinned(), cache, None)
    assert "\n" not in str(raised.value)


def test_an_error_of_the_http_library_is_one_sentence(cache, monkeypatch):
    from huggingface_hub.errors import HfHubHTTPError

    transport = HfHubHTTPError.__mro__[1]

    def fail(*_: object, **__: object) -> None:
        raise transport("proxy\nrefused")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(EvaluationError, match="proxy; check the network"):
        locate(pinned(), cache, None)
