"""What is asked: probe files to prompts, and log-probabilities to values."""
