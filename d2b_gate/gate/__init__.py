"""The pipeline: a change to training rows in, a verdict out. Its ports are handed in by `cli`."""
