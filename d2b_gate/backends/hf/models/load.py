"""Loads a model for reading: frozen, in evaluation mode, from verified files, running none of the model's own code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.directory import read_table
from d2b_gate.backends.hf.models.libraries import calm_threads, one_line, require, silenced
from d2b_gate.backends.hf.models.placement import Placement, place, weight_bytes
from d2b_gate.backends.hf.models.verify import intact
from d2b_gate.core.errors import EvaluationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from d2b_gate.backends.hf.models.files import ModelFiles
    from d2b_gate.core.ports import ModelCard


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to read. Where ``has_template`` is False, whoever builds prompts must say what they use instead."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    has_template: bool


def load(files: ModelFiles, card: ModelCard) -> Loaded:
    """Load weights and tokenizer on the card's device, in the card's dtype.

    Raises EvaluationError if a library, the device, memory or a weight is missing, or a file is not the known one.
    """
    calm_threads()
    require("torch", "transformers", "safetensors", "accelerate")
    intact(files)
    _refuse_newer_config(files)
    from safetensors import SafetensorError

    try:
        with silenced():
            placement = _placement(files, card)
            model, report = _model(files, card, placement)
            tokenizer = _tokenizer(files)
            _refuse_gaps(files, report)
            refuse_offloaded(getattr(model, "hf_device_map", {}))
            if placement == "one":
                _move(model, card.device)
    except (OSError, ValueError, RuntimeError, ImportError, LookupError, TypeError, SafetensorError) as error:
        raise EvaluationError(
            f"transformers cannot load the model: {one_line(error)}", where=str(files.path)
        ) from error
    model.train(mode=False)
    model.requires_grad_(requires_grad=False)
    return Loaded(model, tokenizer, has_template=bool(tokenizer.chat_template))


def _refuse_newer_config(files: ModelFiles) -> None:
    """Refuse what a newer major version of transformers wrote: 4 reads a rotary base of 5 as the default, silently."""
    from importlib.metadata import version

    written, installed = (
        str(read_table(files.path / "config.json").get("transformers_version", "")),
        version("transformers"),
    )
    if _major(written) > _major(installed):
        raise EvaluationError(
            f"the model was written by transformers {written}, which the installed {installed} may misread",
            where=str(files.path),
            remedy=f'run: pip install "transformers>={written}"',
        )


def _major(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdecimal() else 0


def _placement(files: ModelFiles, card: ModelCard) -> Placement:
    import torch

    if card.device == "mps" and not torch.backends.mps.is_available():
        raise _absent("mps")
    if card.device != "cuda":
        return "one"
    if not torch.cuda.is_available():
        raise _absent("cuda")
    free = [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]
    return place(weight_bytes(files.path, getattr(torch, card.dtype).itemsize), free)


def _absent(device: str) -> UnavailableError:
    return UnavailableError(
        f"device {device} is wanted, but this torch finds none",
        remedy='install a torch that supports it, or set model.device = "cpu"',
    )


def _model(files: ModelFiles, card: ModelCard, placement: Placement) -> tuple[PreTrainedModel, dict[str, object]]:
    import torch
    from transformers import AutoModelForCausalLM

    options: dict[str, object] = {"device_map": "auto"} if placement == "spread" else {}
    if card.device == "cpu":
        options["attn_implementation"] = "eager"  # rows are short: a fused kernel costs a third more per tuning step
    found: tuple[PreTrainedModel, dict[str, object]] = AutoModelForCausalLM.from_pretrained(  # type: ignore[assignment] # a pair, because of output_loading_info
        str(files.path),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
        dtype=getattr(torch, card.dtype),
        **options,
    )
    return found


def refuse_offloaded(device_map: Mapping[str, object]) -> None:
    """Refuse weights that were put outside the GPUs: every pass would fetch them anew, and no adapter trains on them.

    Raises:
        UnavailableError: accelerate, which knows what cannot be cut, found less room than `place` had counted.
    """
    outside = [name for name, device in device_map.items() if device in ("cpu", "disk")]
    if outside:
        raise UnavailableError(
            f"the weights do not fit into the memory of the GPUs: part of them ({outside[0]}) would lie outside",
            remedy='use dtype "bfloat16", device "cpu", a smaller model or more GPUs',
        )


def _move(model: torch.nn.Module, device: str) -> None:
    model.to(device)


def _tokenizer(files: ModelFiles) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(files.path), local_files_only=True, trust_remote_code=False)


def _refuse_gaps(files: ModelFiles, report: dict[str, object]) -> None:
    """Refuse missing weights: transformers fills them with random numbers and only warns."""
    for what in ("missing_keys", "mismatched_keys"):
        keys = report.get(what)
        if isinstance(keys, (list, set, tuple)) and keys:
            names = sorted(str(key) for key in keys)
            raise EvaluationError(
                f"{len(names)} weights are missing or have another shape, the first is {names[0]}",
                where=str(files.path),
                remedy="fetch the model again",
            )
