"""`serve`: a model kept warm behind HTTP, for machines without a GPU; calls the backends as the command line does."""
