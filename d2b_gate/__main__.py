"""``python -m d2b_gate``."""

import sys

from d2b_gate.cli import main

sys.exit(main())
