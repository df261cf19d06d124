"""Values of R: their files and their text; imports ``support``."""
