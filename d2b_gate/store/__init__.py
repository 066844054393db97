"""Content-addressed memory: SQLite for JSON values, safetensors for arrays; atomic."""
