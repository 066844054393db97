"""Ground truth: what fine-tuning on a set of rows really does to a small model."""
