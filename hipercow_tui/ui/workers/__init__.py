"""Background threads of the screens; imports no widget and no screen."""
