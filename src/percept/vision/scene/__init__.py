"""Scene parsing: a class for every pixel."""
