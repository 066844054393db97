"""Bytes to rows: containers (jsonl, json, csv, parquet, text) and row shapes (messages, alpaca, ...)."""
