"""Scoring: what every contender predicted, held against what the real fine-tunes did."""
