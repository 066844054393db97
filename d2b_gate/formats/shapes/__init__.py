"""Row shapes: how a record becomes a row; each module satisfies `formats.interface.Shape`."""
