"""Loading: frozen, quiet, complete, from the known files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from d2b_gate.backends.hf.models import libraries
from d2b_gate.backends.hf.models.card import card
from d2b_gate.backends.hf.models.load import load, refuse_offloaded
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.backends.hf.models.placement import place, weight_bytes
from d2b_gate.core.errors import EvaluationError, UnavailableError

from .conftest import TEMPLATE, edit_json, later, spec, write_model


def opened(model_dir, cache, **changes):
    wanted = spec(model_dir, **changes)
    files = locate(wanted, cache, None)
    return load(files, card(files, wanted))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_model_loads_frozen_in_the_wanted_dtype(model_dir, cache, dtype, capfd):
    loaded = opened(model_dir, cache, dtype=dtype)
    assert {weight.dtype for weight in loaded.model.parameters()} == {getattr(torch, dtype)}
    assert not any(weight.requires_grad for weight in loaded.model.parameters())
    assert not loaded.model.training
    assert loaded.model.config._attn_implementation == "eager"  # on a CPU; short rows
    assert loaded.has_template
    assert loaded.tokenizer.chat_template == TEMPLATE
    assert capfd.readouterr() == ("", "")


def test_the_weights_are_those_of_the_file(model_dir, cache):
    from safetensors.torch import load_file

    saved = load_file(model_dir / "model.safetensors")
    loaded = opened(model_dir, cache).model.state_dict()
    assert set(saved) == set(loaded)
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)


def test_a_model_without_a_template_says_so(model_dir, cache):
    (model_dir / "chat_template.jinja").unlink()
    assert not opened(model_dir, cache).has_template


def test_a_changed_file_is_refused_at_load(model_dir, cache):
    wanted = spec(model_dir)
    files = locate(wanted, cache, None)
    described = card(files, wanted)
    weights = model_dir / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    later(weights)
    with pytest.raises(EvaluationError, match=r"model.safetensors of model .* has sha256"):
        load(files, described)


def test_a_missing_weight_is_refused_not_made_up(model_dir, cache):
    from safetensors.torch import load_file, save_file

    weights = load_file(model_dir / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, model_dir / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EvaluationError, match=r"1 weights are missing .* model.layers.1.mlp.up_proj.weight"):
        opened(model_dir, cache)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64])
def test_damaged_weights_are_one_sentence(model_dir, cache, damage):
    (model_dir / "model.safetensors").write_bytes(damage)
    with pytest.raises(EvaluationError, match="cannot load the model") as raised:
        opened(model_dir, cache)
    assert "\n" not in str(raised.value)


def test_an_unknown_architecture_is_one_sentence(model_dir, cache):
    edit_json(model_dir / "config.json", model_type="from-the-future", architectures=["Future"])
    with pytest.raises(EvaluationError, match="cannot load the model") as raised:
        opened(model_dir, cache)
    assert "\n" not in str(raised.value)


def test_what_a_newer_transformers_wrote_is_refused(model_dir, cache):
    edit_json(model_dir / "config.json", transformers_version="99.0.0")
    with pytest.raises(EvaluationError, match=r"written by transformers 99\.0\.0"):
        opened(model_dir, cache)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_an_absent_device_is_refused(model_dir, cache, device):
    if torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available():
        pytest.skip(f"this machine has {device}")
    with pytest.raises(EvaluationError, match=f"device {device} is wanted"):
        opened(model_dir, cache, device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_answer(model_dir, cache):
    on_cpu = opened(model_dir, cache).model
    on_gpu = opened(model_dir, cache, device="cuda").model
    ids = torch.tensor([[1, 5, 6, 7]])
    torch.testing.assert_close(on_gpu(ids.cuda()).logits.cpu(), on_cpu(ids).logits, atol=1e-4, rtol=1e-4)


def test_without_the_libraries_the_error_says_what_to_install(model_dir, cache, monkeypatch):
    wanted = spec(model_dir)
    files = locate(wanted, cache, None)
    described = card(files, wanted)
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(EvaluationError, match=r'needs torch; run: pip install "d2b-gate\[model\]"'):
        load(files, described)


def test_waiting_threads_are_told_to_sleep_before_torch_is_there(model_dir, cache):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from d2b_gate.backends.hf.models.locate import locate\n"
        "from d2b_gate.backends.hf.models.card import card\n"
        "from d2b_gate.backends.hf.models.load import load\n"
        "from d2b_gate.core.rules import ModelSpec\n"
        "seen = []\n"
        "class Watch:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'torch': seen.append(os.environ.get('OMP_WAIT_POLICY'))\n"
        "spec = ModelSpec(id=sys.argv[1], device='cpu'); files = locate(spec, Path(sys.argv[2]), None)\n"
        "described = card(files, spec); sys.meta_path.insert(0, Watch()); load(files, described)\n"
        "assert seen and set(seen) == {'PASSIVE'}, seen"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    subprocess.run([sys.executable, "-c", code, str(model_dir), str(cache)], check=True, env=environment)


def test_a_users_own_choice_for_threads_stands(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    libraries.calm_threads()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


# ---- placement


def test_one_device_is_preferred():
    assert place(79, [100, 100]) == "one"
    assert place(81, [100, 100]) == "spread"
    with pytest.raises(EvaluationError, match="of GPU memory are free"):
        place(161, [100, 100])
    with pytest.raises(EvaluationError, match="of GPU memory are free"):
        place(81, [100])


def test_the_size_of_weights_is_read_from_headers(tmp_path):
    path = write_model(tmp_path / "model", tie_word_embeddings=False)
    from safetensors.torch import load_file

    numbers = sum(weight.numel() for weight in load_file(path / "model.safetensors").values())
    assert weight_bytes(path, 2) == 2 * numbers
    (path / "broken.safetensors").write_bytes((9).to_bytes(8, "little") + b"not json!")
    with pytest.raises(EvaluationError, match="is no safetensors file"):
        weight_bytes(path, 2)


def test_weights_of_another_shape_than_the_config_says_are_refused(model_dir, cache):
    config = json.loads((model_dir / "config.json").read_text())
    edit_json(model_dir / "config.json", intermediate_size=config["intermediate_size"] + 8)
    with pytest.raises(EvaluationError):
        opened(model_dir, cache)


def test_a_card_for_another_dtype_is_obeyed(model_dir, cache):
    wanted = spec(model_dir)
    files = locate(wanted, cache, None)
    loaded = load(files, replace(card(files, wanted), dtype="bfloat16"))
    assert loaded.model.dtype == torch.bfloat16


def test_weights_outside_the_gpus_are_refused():
    refuse_offloaded({})
    refuse_offloaded({"model.layers.0": 0, "model.layers.1": 1, "lm_head": "cuda:1"})
    for outside in ("cpu", "disk"):
        with pytest.raises(UnavailableError, match=r"part of them \(model.layers.1\) would lie outside"):
            refuse_offloaded({"model.layers.0": 0, "model.layers.1": outside})
