"""What the gate costs beside the fine-tune that it predicts: the pieces of benchmarks/cost.py."""
