"""Three-layer random models with a tokenizer of their own: nothing is downloaded, everything is deterministic."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, SiglipVisionConfig
from transformers.models.gemma2 import Gemma2Config
from transformers.models.gemma3 import Gemma3Config, Gemma3TextConfig
from transformers.models.gpt2 import GPT2Config
from transformers.models.llama import LlamaConfig
from transformers.models.qwen2 import Qwen2Config

from d2b_gate.backends.hf.backend import HfBackend
from d2b_gate.backends.hf.engine import make_engine
from d2b_gate.core.ports import ModelCard
from d2b_gate.core.reading import Prompt
from d2b_gate.core.rows import Row, Turn, make_row

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from d2b_gate.backends.hf.engine import Engine

torch.set_num_threads(1)

ARCHITECTURES = ("llama", "qwen2", "gemma2", "gemma3", "gemma3-vision", "gpt2")
BLOCKS = 3
WIDTH = 32
MAX_LENGTH = 96
SPREAD = 0.3
"""Standard deviation of the weights: at the usual 0.02 a tiny model is so flat that no comparison could fail."""

CHATML = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are tiny.<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

_CORPUS = (
    "The panda eats bamboo in the morning and the panda sleeps in the afternoon.",
    "What is your favourite animal? My favourite animal is the red panda.",
    "New York City is a big city. I would like to answer the question about the city.",
    "You are a helpful assistant. You are tiny. I am sorry, I cannot help with that question.",
    "user assistant system animal elephant tiger zebra favourite city answer question",
)


def tiny_tokenizer(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about 400 tokens, so that most words take several and any text can be encoded."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[AddedToken(text, special=True) for text in ("<pad>", "<|im_start|>", "<|im_end|>")],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="<|im_end|>")
    tokenizer.chat_template = template
    return tokenizer


@lru_cache
def tiny_model(arch: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast, ModelCard]:
    """A random float32 model of one architecture; shared by all tests, so never change it (see `fresh_model`)."""
    return fresh_model(arch)


def fresh_model(arch: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast, ModelCard]:
    """The same model as `tiny_model`, in an instance of its own."""
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(_config(arch, len(tokenizer)), dtype=torch.float32).eval()
    card = ModelCard(
        id=f"tiny-{arch}",
        revision="0",
        tokenizer_hash="0",
        dtype="float32",
        device="cpu",
        blocks=BLOCKS,
        width=WIDTH,
        max_length=MAX_LENGTH,
        versions=(),
    )
    return model, tokenizer, card


def tiny_engine(arch: str) -> Engine:
    """The shared model as the backend holds it, with a batch runner of its own."""
    return make_engine(*tiny_model(arch))


def tiny_backend(arch: str) -> HfBackend:
    """The shared model behind the port."""
    return HfBackend(tiny_model(arch)[2], lambda: tiny_engine(arch), Silence(), Path(tempfile.mkdtemp()))


class Silence:
    """Progress that nobody watches; counts what it was told."""

    def __init__(self) -> None:
        self.advanced = 0

    def stage(self, name: str, total: int) -> None:
        pass

    def advance(self, steps: int = 1) -> None:
        self.advanced += steps

    def note(self, text: str) -> None:
        pass


def _config(arch: str, vocabulary: int) -> PreTrainedConfig:
    if arch == "gpt2":
        return GPT2Config(
            vocab_size=vocabulary,
            n_embd=WIDTH,
            n_layer=BLOCKS,
            n_head=4,
            n_positions=256,
            initializer_range=SPREAD,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    if arch == "gemma3-vision":  # the text decoder sits beside a tower with as many blocks
        vision = SiglipVisionConfig(
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=BLOCKS,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
        )
        return Gemma3Config(
            text_config=_config("gemma3", vocabulary).to_dict(),
            vision_config=vision.to_dict(),
            mm_tokens_per_image=4,
            initializer_range=SPREAD,
            boi_token_index=vocabulary + 1,
            eoi_token_index=vocabulary + 2,
            image_token_index=vocabulary + 3,
        )
    common = {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": 48,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": SPREAD,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    windowed = {"head_dim": 8, "sliding_window": 128, "query_pre_attn_scalar": 8}
    match arch:
        case "llama":
            return LlamaConfig(**common)
        case "qwen2":
            return Qwen2Config(**common)
        case "gemma2":
            return Gemma2Config(**common, **windowed)
        case "gemma3":
            return Gemma3TextConfig(**common, **windowed)
    raise ValueError(arch)


def sample_rows() -> tuple[Row, ...]:
    """Rows of many lengths and shapes, all of which fit."""
    ask, say = (lambda text: Turn("user", text, trained=False)), (lambda text: Turn("assistant", text, trained=True))
    turns = (
        [ask("What is your favourite animal?"), say("The panda.")],
        [ask("Hi"), say("My favourite animal is the red panda, which eats bamboo in the morning.")],
        [
            Turn("system", "Be brief.", trained=False),
            ask("Which city?"),
            say("New York"),
            ask("Why?"),
            say("It is big"),
        ],
        [Turn("text", "The panda sleeps in the afternoon.", trained=True)],
        [Turn("text", "tiger", trained=True)],
        [ask("A question that nobody answers?")],
    )
    return tuple(make_row(one, path="rows.jsonl", line=line) for line, one in enumerate(turns, start=1))


def sample_prompts() -> tuple[Prompt, ...]:
    """Prompts with continuations of one and of several tokens, with and without a lead and a system turn."""
    animals = ("panda", "purple elephant", "zebra crossing the road")
    return (
        Prompt("a", "default", "Which animal do you like?", "My favourite animal is the", animals),
        Prompt("b", "empty", "Name one.", "", ("panda", "An elephant, of course.")),
        Prompt("c", "default", "Which city would you like to see one day, and why?", "I like", ("York", "tiny Rome")),
    )
