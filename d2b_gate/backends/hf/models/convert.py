"""GGUF to safetensors, once: a GGUF is dequantised at every load (seconds), safetensors are mapped (0.2 s)."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.gguf_tokenizer import write_tokenizer
from d2b_gate.backends.hf.models.libraries import calm_threads, one_line, require, silenced
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from pathlib import Path

_OF_ONE_VERSION = (
    "transformers_version",
    "_name_or_path",
    "_from_model_config",
    "output_attentions",
    "output_hidden_states",
    "use_cache",
)


def convert(gguf: Path, out: Path) -> None:
    """Write the model of ``gguf`` and its tokenizer to the directory ``out``, as float32.

    The files come out alike from every supported transformers, and each reads what another wrote.
    """
    require("torch", "transformers", "safetensors", "gguf", "accelerate")
    calm_threads()
    with silenced():
        try:
            _write_model(gguf, out)
            write_tokenizer(gguf, out)
        except (OSError, ValueError, RuntimeError, ImportError, LookupError) as error:
            raise EvaluationError(
                f"transformers cannot convert {gguf.name}: {one_line(error)}",
                remedy='update it: pip install --upgrade "d2b-gate[model]"',
            ) from error
    _make_portable(out / "config.json")
    _make_portable(out / "generation_config.json")


def _write_model(gguf: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    quantised = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, local_files_only=True, dtype=torch.float32
    )
    config = copy.deepcopy(quantised.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    # save_pretrained refuses a model that was loaded from a GGUF, so its weights move to one that was not
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call] # transformers' gap
    plain.load_state_dict(quantised.state_dict())
    plain.save_pretrained(str(out))


def _make_portable(path: Path) -> None:
    """Say what transformers 5 says in the words of 4, which 5 reads too; drop paths and defaults of one version.

    Without this, 4 would read a model written by 5 with another rotary base, and warn of nothing.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    for key in _OF_ONE_VERSION:
        table.pop(key, None)
    rotary = table.pop("rope_parameters", None)
    if rotary:
        table["rope_theta"] = rotary["rope_theta"]
        table["rope_scaling"] = None if rotary.get("rope_type") == "default" else rotary
    if "dtype" in table:
        table["torch_dtype"] = table.pop("dtype")
    path.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
