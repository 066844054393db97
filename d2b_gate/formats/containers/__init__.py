"""Containers: how a file holds records; each module satisfies `formats.interface.Container`."""
