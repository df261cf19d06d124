"""The Textual app. Only this package imports Textual; it may import every package but ``cli``."""

# Private parts of Textual that this package uses. Check them when Textual is updated.
#
# - ``LinuxDriver._file`` in ``resilient_driver``: replaced by a file that ignores failed writes,
#   because Textual has no hook for output after the terminal has disconnected.
# - ``App._fatal_error`` in ``terminal_app``: overridden, because Textual's traceback shows values
#   that were read from disk.
#
# These methods are public, but their callers in Textual are not documented: ``Widget.refresh`` in
# ``titled_frame``, ``Widget.check_consume_key`` in ``confirm``, ``Widget.notify_style_update`` in
# ``virtual_table``, ``virtual_list`` and ``task_details``, ``Driver.run_input_thread`` and
# ``Driver.write`` in ``resilient_driver``, ``ScrollBar.window_virtual_size`` in ``virtual_scroll``.
