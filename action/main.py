"""Where every step of the action begins: the code that runs is this checkout's own, whatever is installed."""

import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 - this is where an older one is told apart
    found = ".".join(str(part) for part in sys.version_info[:2])
    sys.stdout.write(f"::error title=d2b-gate::this is Python {found}; give the input 'python' one from 3.10 on\n")
    sys.exit(2)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from d2b_gate.cli.action import main

sys.exit(main(sys.argv[1:]))
