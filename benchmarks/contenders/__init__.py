"""Every predictor and baseline that is held against the truth, each behind the same function."""
