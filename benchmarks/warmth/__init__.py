"""A commit judged by a server that is already running, against one that loads the model itself."""
