"""A verdict as text: one pure renderer per format."""
