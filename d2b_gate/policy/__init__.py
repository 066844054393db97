"""TOML to the core `Policy`: every problem at once, with file and line."""
