"""Models on disk: pulled, located, verified, described and loaded; from pinned revisions and safetensors only."""
