"""The card says what the files say."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from d2b_gate.backends.hf.models import device
from d2b_gate.backends.hf.models.card import card
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.core.errors import EvaluationError, UsageError

from .conftest import edit_json, spec


def described(model_dir, cache, **changes):
    wanted = spec(model_dir, **changes)
    return card(locate(wanted, cache, None), wanted)


def test_the_card_says_what_the_files_say(model_dir, cache):
    found = described(model_dir, cache, dtype="bfloat16")
    assert (found.blocks, found.width, found.dtype, found.device) == (3, 16, "bfloat16", "cpu")
    assert found.id == str(model_dir)
    assert found.max_length == 64
    assert described(model_dir, cache, max_length=9).max_length == 9
    assert dict(found.versions)["torch"] == version("torch")
    assert found.versions == tuple(sorted(found.versions))


@pytest.mark.parametrize(
    "config",
    [
        {"n_layer": 5, "n_embd": 7, "n_positions": 11},
        {"num_layers": 5, "d_model": 7, "max_position_embeddings": 11},
        {"text_config": {"num_hidden_layers": 5, "hidden_size": 7, "max_position_embeddings": 11}, "hidden_size": 99},
    ],
)
def test_every_family_has_its_own_words(model_dir, cache, config):
    (model_dir / "config.json").write_text(json.dumps(config))
    found = described(model_dir, cache)
    assert (found.blocks, found.width, found.max_length) == (5, 7, 11)


def test_a_model_without_a_length_takes_the_policys(model_dir, cache):
    (model_dir / "config.json").write_text(json.dumps({"n_layer": 5, "n_embd": 7}))
    assert described(model_dir, cache).max_length == 1024


@pytest.mark.parametrize("config", [{}, {"n_layer": "3", "n_embd": 7}, {"n_layer": True, "n_embd": 7}, {"n_layer": 0}])
def test_a_config_without_sizes_is_refused(model_dir, cache, config):
    (model_dir / "config.json").write_text(json.dumps(config))
    with pytest.raises(EvaluationError, match="has none of"):
        described(model_dir, cache)


def test_the_tokenizer_hash_follows_the_tokenizer_alone(model_dir, cache):
    before = described(model_dir, cache)
    edit_json(model_dir / "generation_config.json", changed=True)
    after = described(model_dir, cache)
    assert after.tokenizer_hash == before.tokenizer_hash
    assert after.revision != before.revision
    (model_dir / "chat_template.jinja").write_text("another")
    assert described(model_dir, cache).tokenizer_hash != before.tokenizer_hash


def test_unknown_words_are_usage_errors(model_dir, cache):
    with pytest.raises(UsageError, match="unknown dtype 'int4'"):
        described(model_dir, cache, dtype="int4")
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        described(model_dir, cache, device="tpu")


# ---- the device


@pytest.fixture
def machine(monkeypatch):
    """A Linux machine with an NVIDIA device and a torch built for it."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(device.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(device, "_torch_has_cuda", lambda: True)
    monkeypatch.setattr(device.sys, "platform", "linux")
    return monkeypatch


def test_auto_prefers_cuda_where_it_can_work(machine):
    assert device.device_class("auto") == "cuda"
    assert device.device_class("cpu") == "cpu"
    machine.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert device.device_class("auto") == "cuda"


@pytest.mark.parametrize("hidden", ["", "-1", " "])
def test_hidden_devices_are_not_used(machine, hidden):
    machine.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert device.device_class("auto") == "cpu"


def test_a_torch_for_the_cpu_means_cpu(machine):
    machine.setattr(device, "_torch_has_cuda", lambda: False)
    assert device.device_class("auto") == "cpu"


def test_a_mac_with_its_own_chip_has_mps(machine):
    machine.setattr(device, "_torch_has_cuda", lambda: False)
    machine.setattr(device.sys, "platform", "darwin")
    machine.setattr(device.platform, "machine", lambda: "arm64")
    assert device.device_class("auto") == "mps"


def test_what_is_told_without_torch_agrees_with_torch():
    import torch

    assert device._torch_has_cuda() == (torch.version.cuda is not None)
    assert (device.device_class("auto") == "cuda") == torch.cuda.is_available()
