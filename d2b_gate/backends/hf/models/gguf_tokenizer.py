"""The tokenizer inside a GGUF, written so that every supported transformers reads the same one.

Left to itself transformers 4.48 takes another end token from the same file and puts a begin token before every text,
and what transformers 5 writes, 4 cannot read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from pathlib import Path

    from gguf import GGUFReader

_PREFIX = "tokenizer.ggml."
_SUPPORTED = ("gpt2", "smollm")
_CONTROL = 3  # token type of GGUF for tokens that never come from text


def write_tokenizer(gguf: Path, out: Path) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json`` to ``out``. Raises EvaluationError for another kind."""
    from gguf import GGUFReader

    reader = GGUFReader(gguf)
    kind = tuple(_texts(reader, _PREFIX + name)[0] for name in ("model", "pre"))
    if kind != _SUPPORTED:
        raise EvaluationError(f"its tokenizer is {'/'.join(kind)}, which is not supported", where=gguf.name)
    tokens = _texts(reader, _PREFIX + "tokens")
    _write_vocabulary(reader, tokens, out / "tokenizer.json")
    config: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": _number(reader, "llama.context_length"),
    }
    for role, name in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        config[f"{role}_token"] = tokens[_number(reader, f"{_PREFIX}{name}_token_id")]
    if reader.get_field("tokenizer.chat_template"):
        config["chat_template"] = _texts(reader, "tokenizer.chat_template")[0]
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _write_vocabulary(reader: GGUFReader, tokens: list[str], path: Path) -> None:
    """Write byte-level BPE that sets digits apart first, which is what the GGUF's "smollm" means.

    Transformers leaves the digits out, so that of several blanks before a digit it takes other tokens. Source: the
    pre-tokenizer of SmolLM2's published tokenizer.json, and llama.cpp's for the same name.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    merges = [(left, right) for left, _, right in (line.partition(" ") for line in _texts(reader, _PREFIX + "merges"))]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    field = reader.fields[_PREFIX + "token_type"]
    control = [token for token, part in zip(tokens, field.data, strict=True) if field.parts[part][0] == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    tokenizer.save(str(path), pretty=False)


def _texts(reader: GGUFReader, name: str) -> list[str]:
    field = reader.fields[name]
    return [bytes(field.parts[part]).decode("utf-8") for part in field.data]


def _number(reader: GGUFReader, name: str) -> int:
    field = reader.fields[name]
    return int(field.parts[field.data[0]][0])
