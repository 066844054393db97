"""Which directory a model id means, and which directories are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from d2b_gate.backends.hf.models import files as files_module
from d2b_gate.backends.hf.models.listing import list_models
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.backends.hf.models.verify import Problem, intact, verify
from d2b_gate.core.errors import EvaluationError, UsageError

from .conftest import edit_json, later, spec


def test_a_directory_is_identified_by_everything_that_loading_reads(model_dir, cache):
    first = locate(spec(model_dir), cache, None)
    assert first.path == model_dir
    names = {one.name for one in first.entries}
    assert {"model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"} <= names
    for name in ("config.json", "tokenizer_config.json"):
        edit_json(model_dir / name, changed=True)
        again = locate(spec(model_dir), cache, None)
        assert again.revision != first.revision
        first = again


def test_the_revision_can_be_computed_with_sha256sum(model_dir, cache):
    found = locate(spec(model_dir), cache, None)
    names = " ".join(one.name for one in found.entries)
    shell = subprocess.run(
        ["sh", "-c", f"sha256sum {names} | sha256sum"], cwd=model_dir, capture_output=True, text=True, check=True
    )
    assert shell.stdout.split()[0] == found.revision


def test_unchanged_files_are_not_hashed_again(model_dir, cache, monkeypatch):
    first = locate(spec(model_dir), cache, None)
    hashes: list[str] = []
    real = files_module.sha256_of
    monkeypatch.setattr(files_module, "sha256_of", lambda path: hashes.append(path.name) or real(path))
    assert locate(spec(model_dir), cache, None) == first
    assert hashes == []
    later(model_dir / "config.json")
    assert locate(spec(model_dir), cache, None).revision == first.revision
    assert hashes == ["config.json"]
    locate(spec(model_dir), cache, None)
    assert hashes == ["config.json"]


def test_a_cache_that_cannot_be_written_only_costs_time(model_dir, tmp_path):
    (tmp_path / "file").write_text("")
    assert locate(spec(model_dir), tmp_path / "file", None).revision


def test_a_model_that_changes_between_locating_and_loading_is_noticed(model_dir, cache):
    files = locate(spec(model_dir), cache, None)
    edit_json(model_dir / "config.json", rope_theta=1)
    with pytest.raises(EvaluationError, match=r"config\.json of model"):
        intact(files)


def test_verify_hashes_even_what_kept_its_size_and_time(model_dir, cache):
    files = locate(spec(model_dir), cache, None)
    weights = model_dir / "model.safetensors"
    status, content = weights.stat(), bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert intact(files) == files
    assert [problem.file for problem in verify(files)] == ["model.safetensors"]


def test_verify_names_what_is_missing_and_what_is_new(model_dir, cache):
    files = locate(spec(model_dir), cache, None)
    assert verify(files) == ()
    (model_dir / "chat_template.jinja").unlink()
    (model_dir / "added_tokens.json").write_text("{}")
    assert verify(files) == (
        Problem("chat_template.jinja", "is missing"),
        Problem("added_tokens.json", "was not there before"),
    )


# ---- inside the checkout


def test_inside_the_checkout_a_model_must_be_pinned(model_dir, cache):
    checkout = model_dir.parent
    with pytest.raises(EvaluationError, match="must be pinned") as raised:
        locate(spec("./model"), cache, checkout)
    pin = raised.value.remedy.split('"')[1]
    assert locate(spec("./model", sha256=pin), cache, checkout).revision == pin
    assert locate(spec("./model", sha256=pin.upper()), cache, checkout).revision == pin
    assert locate(spec(model_dir), cache, model_dir.parent / "elsewhere").revision == pin


def test_inside_the_checkout_times_are_not_believed(model_dir, cache):
    pin = locate(spec(model_dir), cache, None).revision
    weights = model_dir / "model.safetensors"
    status, content = weights.stat(), bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(EvaluationError, match=f"but the policy pins {pin}"):
        locate(spec("./model", sha256=pin), cache, model_dir.parent)


def test_a_changed_chat_template_breaks_the_pin(model_dir, cache):
    pin = locate(spec(model_dir), cache, None).revision
    (model_dir / "chat_template.jinja").write_text("always refuse")
    with pytest.raises(EvaluationError, match="but the policy pins"):
        locate(spec("./model", sha256=pin), cache, model_dir.parent)


def test_links_do_not_lead_around_the_pin(model_dir, cache, tmp_path):
    checkout, outside = tmp_path / "checkout", tmp_path / "outside"
    checkout.mkdir()
    outside.mkdir()
    try:
        (checkout / "out").symlink_to(model_dir)
        (outside / "in").symlink_to(checkout)
    except OSError:
        pytest.skip("this platform lets nobody make links")
    with pytest.raises(EvaluationError, match="must be pinned"):
        locate(spec("./out"), cache, checkout)
    with pytest.raises(EvaluationError, match="must be pinned"):
        locate(spec(outside / ".." / "checkout" / "out"), cache, checkout)
    model_dir.rename(checkout / "model")
    with pytest.raises(EvaluationError, match="must be pinned"):
        locate(spec(outside / "in" / "model"), cache, checkout)


def test_a_wrong_pin_is_refused_outside_too(model_dir, cache):
    with pytest.raises(EvaluationError, match="but the policy pins abc"):
        locate(spec(model_dir, sha256="abc"), cache, None)


# ---- refused directories


def test_a_pickle_is_refused(model_dir, cache):
    (model_dir / "model.safetensors").rename(model_dir / "pytorch_model.bin")
    with pytest.raises(EvaluationError, match="pickle"):
        locate(spec(model_dir), cache, None)
    (model_dir / "pytorch_model.bin").unlink()
    with pytest.raises(EvaluationError, match=r"holds no \*.safetensors"):
        locate(spec(model_dir), cache, None)


def test_a_model_with_code_of_its_own_is_refused(model_dir, cache):
    edit_json(model_dir / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Evil"})
    with pytest.raises(EvaluationError, match="never run"):
        locate(spec(model_dir), cache, None)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "\ud800"])
def test_a_config_that_is_none_is_refused(model_dir, cache, content):
    (model_dir / "config.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(EvaluationError, match=r"config\.json"):
        locate(spec(model_dir), cache, None)


def test_a_file_that_cannot_be_read_is_one_sentence(model_dir, cache, monkeypatch):
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files_module, "sha256_of", refuse)
    with pytest.raises(EvaluationError, match=r"cannot read model .* Permission denied"):
        locate(spec(model_dir), cache, None)


def test_a_directory_without_a_config_is_no_model(model_dir, cache):
    (model_dir / "config.json").unlink()
    with pytest.raises(EvaluationError, match=r"holds no config\.json"):
        locate(spec(model_dir), cache, None)


@pytest.mark.parametrize("shard", ["../elsewhere.safetensors", "/etc/x.safetensors", "..\\x.safetensors", "pickle.bin"])
def test_a_shard_outside_the_directory_is_refused(model_dir, cache, shard):
    (model_dir / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(EvaluationError, match="no shard of this directory"):
        locate(spec(model_dir), cache, None)


def test_a_missing_shard_is_named(model_dir, cache):
    shard = "model-00001-of-00002.safetensors"
    (model_dir / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(EvaluationError, match=f"{shard} is missing"):
        locate(spec(model_dir), cache, None)


# ---- what an id means


def test_ids_that_cannot_be_meant_are_usage_errors(model_dir, cache):
    with pytest.raises(UsageError, match=r"no revision; set model\.revision"):
        locate(spec("org/name"), cache, None)
    with pytest.raises(UsageError, match="is no hub id"):
        locate(spec(model_dir, revision="a" * 40), cache, None)
    with pytest.raises(EvaluationError, match="does not exist"):
        locate(spec("./nowhere"), cache, model_dir.parent)
    with pytest.raises(UsageError, match="no built-in model"):
        locate(spec("builtin:gpt5"), cache, None)


def test_a_directory_that_looks_like_a_hub_id_is_one_without_a_revision(model_dir, cache):
    (model_dir.parent / "org").mkdir()
    model_dir.rename(model_dir.parent / "org" / "name")
    with pytest.raises(EvaluationError, match="must be pinned"):
        locate(spec("org/name"), cache, model_dir.parent)


def test_used_directories_are_listed_while_they_exist(model_dir, cache):
    locate(spec(model_dir), cache, None)
    assert list_models(cache)[-1].id == str(model_dir)
    model_dir.rename(model_dir.parent / "moved")
    assert list_models(cache)[-1].id.startswith("builtin:")


def test_locating_and_describing_import_no_heavy_library(model_dir, cache):
    code = (
        "import sys; from pathlib import Path\n"
        "from d2b_gate.backends.hf.models.locate import locate\n"
        "from d2b_gate.backends.hf.models.card import card\n"
        "from d2b_gate.backends.hf.models.listing import list_models\n"
        "import d2b_gate.backends.hf.models.load, d2b_gate.backends.hf.models.pull\n"
        "from d2b_gate.core.rules import ModelSpec\n"
        "spec = ModelSpec(id=sys.argv[1]); cache = Path(sys.argv[2])\n"
        "assert card(locate(spec, cache, None), spec).blocks == 3; list_models(cache)\n"
        "heavy = {'torch', 'transformers', 'numpy', 'safetensors', 'huggingface_hub', 'tokenizers', 'gguf'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(model_dir), str(cache)], check=True, cwd=Path.cwd())
