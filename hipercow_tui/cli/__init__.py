"""The command line: arguments to calls; imports all but screens and widgets."""
