"""The command line: turns arguments into calls. It imports everything but screens and widgets."""
