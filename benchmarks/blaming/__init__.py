"""How well changed rows are blamed: rows planted in clean sets are ranked by what they are said to contribute."""
