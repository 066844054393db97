"""Speed is measured in benchmarks/, never in a test: a busy machine must not fail a property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
