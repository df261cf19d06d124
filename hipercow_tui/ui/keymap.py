"""The keys of the app and of the main screen, for the footer, the help and the command palette.

Those of the plan, the log and the trash are in ``screen_keys``. Other screens, dialogs and widgets
bind their own keys: for example the history, the inputs and the questions before a purge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual.binding import Binding

from hipercow_tui.domain.task import FILTERABLE_STATUSES
from hipercow_tui.ui.status_style import GLYPH


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The keys under one title of the help."""

    title: str
    keys: Sequence[Binding]


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys that the user chose: ``keys`` by id, in the form that Textual takes, without those
    that can't be used. ``problems`` are sentences on these."""

    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def make_key(
    keys: str,
    action: str,
    label: str,
    help_text: str,
    *,
    id: str,
    show: bool = False,
    display: str | None = None,
) -> Binding:
    """Return a binding: the footer and the palette show ``label``, the help ``help_text``."""
    return Binding(keys, action, label, show=show, key_display=display, tooltip=help_text, id=id)


MOVE_KEYS = (
    make_key("j,down", "move(1)", "Down", "Down one row", id="down", display="j ↓"),
    make_key("k,up", "move(-1)", "Up", "Up one row", id="up", display="k ↑"),
    make_key(
        "pagedown,ctrl+f",
        "page(1)",
        "Page down",
        "Down one page",
        id="pagedown",
        display="PgDn ctrl+f",
    ),
    make_key(
        "pageup,ctrl+b", "page(-1)", "Page up", "Up one page", id="pageup", display="PgUp ctrl+b"
    ),
    make_key(
        "ctrl+d", "page(0.5)", "Half down", "Down half a page", id="half_down", display="ctrl+d"
    ),
    make_key("ctrl+u", "page(-0.5)", "Half up", "Up half a page", id="half_up", display="ctrl+u"),
    make_key("g,home", "first", "First", "First row", id="first", display="g Home"),
    make_key("G,end", "last", "Last", "Last row", id="last", display="G End"),
    make_key(
        "enter",
        "open",
        "Open",
        "Task: all details; bundle or error: only its tasks; in Space: what it holds",
        id="open",
        display="Enter",
    ),
)

BACK_KEY = make_key(
    "escape",
    "back",
    "Back",
    "End details, a range, a measurement or the search; else go back to where Enter was pressed",
    id="back",
    display="esc",
)

# The keys of a list without those of a table.
LIST_KEYS = tuple(key for key in MOVE_KEYS if key.id != "open")

# For text that scrolls. Textual itself binds the arrows, PgUp, PgDn, Home and End.
SCROLL_KEYS = (
    make_key("j", "scroll_down", "", "Down one line", id="scroll.down"),
    make_key("k", "scroll_up", "", "Up one line", id="scroll.up"),
    make_key("space,ctrl+f", "page_down", "", "Down one page", id="scroll.page_down"),
    make_key("ctrl+b", "page_up", "", "Up one page", id="scroll.page_up"),
    make_key("ctrl+d", "half_page(1)", "", "Down half a page", id="scroll.half_down"),
    make_key("ctrl+u", "half_page(-1)", "", "Up half a page", id="scroll.half_up"),
    make_key("g", "scroll_home", "", "To the beginning", id="scroll.home"),
    make_key("G", "scroll_end", "", "To the end", id="scroll.end"),
)

MARK_KEYS = (
    make_key(
        "space",
        "mark",
        "Mark",
        "Mark or unmark the tasks of the row, and go to the next",
        id="mark",
        show=True,
    ),
    make_key("v", "range", "Range", "Start a range; v again marks it, esc cancels it", id="range"),
    make_key(
        "a",
        "mark_all",
        "Mark all",
        "Mark all matched tasks; during a search, only those found",
        id="mark_all",
    ),
    make_key("u", "unmark", "Unmark all", "Remove all marks", id="unmark"),
)

SEARCH_KEYS = (
    make_key(
        "slash",
        "search",
        "Search",
        "Search the list; beta > 0.9 compares an input as a number",
        id="search",
        show=True,
    ),
    make_key("n", "hit(1)", "Next hit", "Next hit", id="next_hit"),
    make_key("N", "hit(-1)", "Previous hit", "Previous hit", id="previous_hit"),
)

MATCH_KEYS = (
    make_key(
        "right_square_bracket",
        "match(1)",
        "Next match",
        "Next row that is matched",
        id="next_match",
    ),
    make_key(
        "left_square_bracket",
        "match(-1)",
        "Previous match",
        "Previous row that is matched",
        id="previous_match",
    ),
)

FILTER_KEYS = (
    *(
        make_key(
            str(number),
            f"status({number})",
            status.capitalize(),
            f"Filter by {GLYPH[status]} {status}: on or off",
            id=f"status_{status}",
        )
        for number, status in enumerate(FILTERABLE_STATUSES, 1)
    ),
    make_key(
        "m", "only_matched", "Matched", "Show only matched tasks, or all", id="only", show=True
    ),
    make_key("h", "fold", "Filters", "Hide or show the filters", id="fold"),
    make_key(
        "0",
        "clear_filters",
        "No filter",
        "Remove all filters and marks, and show all tasks",
        id="clear",
    ),
    make_key(
        "f",
        "save_filters",
        "Save filters as …",
        "Save the filters under a name; ctrl+p applies them",
        id="save_filters",
    ),
)

VIEW_KEYS = (
    make_key("s", "sort", "Sort", "Reverse the sort order", id="sort"),
    make_key("S", "sort_menu", "Sort by …", "Choose the column to sort by", id="sort_menu"),
    make_key(
        "less_than_sign",
        "sort_by(-1)",
        "Sort left",
        "Sort by the column to the left",
        id="sort_left",
    ),
    make_key(
        "greater_than_sign",
        "sort_by(1)",
        "Sort right",
        "Sort by the column to the right",
        id="sort_right",
    ),
    make_key("F", "columns", "Columns …", "Choose the columns", id="columns"),
    make_key("b", "toggle_pane('bundles')", "Bundles", "Show bundles; again: tasks", id="switch"),
    make_key("e", "toggle_pane('errors')", "Errors", "Show errors; again: tasks", id="errors"),
    make_key(
        "w",
        "toggle_pane('space')",
        "Space",
        "Show where the space went; again: tasks",
        id="space_tab",
    ),
    make_key(
        "o", "on_row('messages')", "Messages", "Show every message of an error", id="messages"
    ),
    make_key(
        "i",
        "on_row('inputs')",
        "Inputs",
        "Show inputs of a bundle or an error as columns",
        id="inputs",
    ),
    make_key("l", "on_row('log')", "Log", "Show the log of the task", id="log", show=True),
    make_key(
        "z", "sizes", "Sizes", "Measure marked, matched or all tasks; again: stop", id="sizes"
    ),
    make_key("Z", "size_kind", "Size or disk", "Sizes: bytes in files, or as du", id="size_kind"),
    make_key("r", "refresh", "Refresh", "Read the root now", id="refresh"),
    make_key(
        "R",
        "reconcile",
        "Ask the cluster",
        "Let R ask the cluster whether marked or stuck tasks still run, and free those that ended",
        id="reconcile",
    ),
    make_key(
        "W",
        "on_row('wait')",
        "Wait",
        "Report the end of the row's tasks, or of the marked tasks; again: stop",
        id="wait",
    ),
    make_key(
        "c", "on_row('copy')", "Copy", "Copy ids, rows or R calls; cancel or retry in R", id="copy"
    ),
    make_key(
        "E",
        "export",
        "Export inputs",
        "Export inputs of marked tasks, a bundle, an error or all matched tasks",
        id="export",
    ),
    make_key(
        "A",
        "on_row('note')",
        "Note",
        "Write a note on the chain or bundle, or the marked ones, for all users",
        id="note",
    ),
    make_key(
        "M",
        "on_row('report')",
        "Report",
        "Report on the task or error, to ask for help",
        id="report",
    ),
    make_key("exclamation_mark", "problems", "Problems", "List unreadable files", id="problems"),
    make_key(
        "tab", "app.focus_next", "Next pane", "Next pane; shift+tab: previous pane", id="pane"
    ),
)

# Not one of the keys before it: in the footer it is less important than the plan.
GROUP_KEY = make_key(
    "t",
    "group",
    "Group",
    "In Errors: group by message, frame or node; in Space: by bundle, call, status, age and so on",
    id="group",
    show=True,
)

PURGE_KEYS = (
    make_key("p", "plan", "Plan", "Show the plan of a purge, with reasons", id="plan", show=True),
    make_key(
        "P",
        "on_row('pin')",
        "Pin",
        "Pin the chain or bundle, or the marked ones: no purge takes them; again: unpin",
        id="pin",
    ),
    make_key(
        "U",
        "undo",
        "Undo",
        "Stop the running purge, or restore the last batch of the trash",
        id="undo",
        show=True,
    ),
    make_key(
        "d,x,delete",
        "explain_purge",
        "",
        "Nothing is deleted: they say that p plans a purge",
        id="explain_purge",
    ),
    make_key("T", "trash", "Trash", "Show the trash and interrupted purges", id="trash"),
    make_key("H", "history", "History", "Show past purges, restores and emptyings", id="history"),
)

HELP_KEY = make_key(
    "question_mark", "help", "Help", "Show the keys and rules", id="help", show=True
)

APP_KEYS = (
    make_key(
        "ctrl+p,colon", "command_palette", "Palette", "Find any command by name", id="palette"
    ),
    HELP_KEY,
    make_key("q", "quit", "Quit", "Quit", id="quit", show=True),
)

KEY_GROUPS = (
    KeyGroup("Move", (*MOVE_KEYS, BACK_KEY)),
    KeyGroup("Mark", MARK_KEYS),
    KeyGroup("Filter", FILTER_KEYS),
    KeyGroup("Search", (*SEARCH_KEYS, *MATCH_KEYS)),
    KeyGroup("View", (*VIEW_KEYS, GROUP_KEY)),
    KeyGroup("Purge", PURGE_KEYS),
    KeyGroup("App", APP_KEYS),
)
BROWSE_KEYS = (
    BACK_KEY,
    *SEARCH_KEYS,
    *MATCH_KEYS,
    *FILTER_KEYS,
    *VIEW_KEYS,
    *PURGE_KEYS,
    GROUP_KEY,
)
