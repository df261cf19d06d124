"""Threads that read, compute and purge for the screens. It may import no screen or dialog."""
