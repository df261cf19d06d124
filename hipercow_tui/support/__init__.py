"""Text, streams, signals, errors and processes. It knows nothing of tasks, and imports no other
package."""
