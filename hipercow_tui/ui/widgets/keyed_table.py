"""A table that keeps the keys of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hipercow_tui.ui.widgets.virtual_table import VirtualTable


class KeyedTable(VirtualTable):
    """A table whose rows are replaced as a whole, by ``set_keys``."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: tuple[str, ...] = ()
        self._rows: Mapping[str, int] = {}

    def set_keys(self, keys: Sequence[str]) -> None:
        """Show the rows with these keys; call it after the data of the rows has changed."""
        before, self._keys = self._keys, tuple(keys)
        if self._keys == before:
            self.redraw()
        else:
            self._rows = {key: row for row, key in enumerate(self._keys)}
            self.rows_changed(before)

    @property
    def keys(self) -> Sequence[str]:
        """The key of each row."""
        return self._keys

    def row_of(self, key: str) -> int | None:
        """Return the row of a key, or None."""
        return self._rows.get(key)
