"""argv to request, printing, and exit codes: the composition root."""
