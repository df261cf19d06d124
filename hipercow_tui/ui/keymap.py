"""Every key of the browser, once: footer, help screen and command palette read it from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding

from hipercow_tui.domain.task import FILTERABLE_STATUSES
from hipercow_tui.ui.status_style import GLYPH


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that belong together, under the title they have in the help."""

    title: str
    keys: Sequence[Binding]


def _key(
    keys: str,
    action: str,
    label: str,
    what: str,
    *,
    id: str,
    show: bool = False,
    display: str | None = None,
) -> Binding:
    """``label`` stands in the footer, ``what`` in the help; a key with neither has no place."""
    return Binding(keys, action, label, show=show, key_display=display, tooltip=what, id=id)


MOVES = (
    _key("j,down", "move(1)", "Down", "Down a row", id="down", display="j ↓"),
    _key("k,up", "move(-1)", "Up", "Up a row", id="up", display="k ↑"),
    _key("pagedown,ctrl+f", "page(1)", "Page down", "Down a screen", id="pagedown", display="PgDn"),
    _key("pageup,ctrl+b", "page(-1)", "Page up", "Up a screen", id="pageup", display="PgUp"),
    _key("g,home", "first", "First", "To the first row", id="first", display="g Home"),
    _key("G,end", "last", "Last", "To the last row", id="last", display="G End"),
    _key(
        "enter",
        "open",
        "Open",
        "Details in full; of a bundle its tasks; of an error mark its tasks alone",
        id="open",
        display="Enter",
    ),
)

# Of text that scrolls, beside the arrows and PgUp, PgDn, Home and End that Textual gives it.
SCROLLS = tuple(
    Binding(key, action, show=False)
    for key, action in (
        ("j", "scroll_down"),
        ("k", "scroll_up"),
        ("g", "scroll_home"),
        ("G", "scroll_end"),
        ("space,ctrl+f", "page_down"),
        ("ctrl+b", "page_up"),
    )
)

MARKS = (
    _key(
        "space", "mark", "Mark", "Mark the task, or take its mark, and go on", id="mark", show=True
    ),
    _key("v", "range", "Range", "Begin a range; v again marks it, esc drops it", id="range"),
    _key(
        "a",
        "mark_all",
        "Mark all",
        "Mark every matched task, of a search every one found",
        id="mark_all",
    ),
    _key("u", "unmark", "Unmark", "Take all marks away", id="unmark"),
)

SEARCH = (
    _key(
        "slash",
        "search",
        "Search",
        "Search the tasks, bundles or errors shown",
        id="search",
        show=True,
    ),
    _key("n", "hit(1)", "Next", "To the next hit", id="next_hit"),
    _key("N", "hit(-1)", "Previous", "To the hit before", id="previous_hit"),
)

FILTERS = (
    *(
        _key(
            str(number),
            f"status({number})",
            status.capitalize(),
            f"Filter by {GLYPH[status]} {status}, or no longer",
            id=f"status_{status}",
        )
        for number, status in enumerate(FILTERABLE_STATUSES, 1)
    ),
    _key("m", "only_matched", "Matched", "Show the matched tasks alone", id="only", show=True),
    _key("h", "fold", "Filters", "Hide the filters, or bring them back", id="fold"),
    _key("0", "clear_filters", "No filter", "Take all filters and marks away", id="clear"),
    _key(
        "f",
        "save_filters",
        "Save filters as …",
        "Save the filters under a name; ctrl+p calls them up",
        id="save_filters",
    ),
)

VIEW = (
    _key("s", "sort", "Sort", "Sort the other way round", id="sort"),
    _key("less_than_sign", "sort_by(-1)", "Sort left", "Sort by the column before", id="sort_left"),
    _key(
        "greater_than_sign", "sort_by(1)", "Sort right", "Sort by the next column", id="sort_right"
    ),
    _key("b", "switch", "Bundles", "To the bundles, and back to the tasks", id="switch"),
    _key("e", "errors", "Errors", "To the errors, and back to the tasks", id="errors"),
    _key("o", "messages", "Messages", "Every message of an error, with its task", id="messages"),
    _key("i", "inputs", "Inputs", "Inputs as columns: of a bundle or an error", id="inputs"),
    _key("l", "log", "Log", "Log of the task", id="log", show=True),
    _key("z", "sizes", "Sizes", "Measure marked, matched or all tasks; stop it", id="sizes"),
    _key("r", "refresh", "Refresh", "Look at the disk now", id="refresh"),
    _key("c", "copy", "Copy", "Copy ids, rows or R calls; let R cancel or retry", id="copy"),
    _key("exclamation_mark", "problems", "Problems", "What could not be read", id="problems"),
    _key("tab", "app.focus_next", "Next pane", "To the next pane; shift+tab goes back", id="pane"),
)

PURGE = (
    _key("p", "plan", "Plan", "See what a purge would take, and why", id="plan", show=True),
    _key(
        "U",
        "undo",
        "Undo",
        "Stop the purge that is under way, else bring back the last of the trash",
        id="undo",
        show=True,
    ),
    _key("T", "trash", "Trash", "What is in the trash, or was interrupted", id="trash"),
    _key("H", "history", "History", "What was purged, restored and emptied", id="history"),
)

TRASH = (
    _key("r,enter", "restore", "Restore", "Restore the batch", id="trash.restore", show=True),
    _key("f", "finish", "Finish", "Finish what was interrupted", id="trash.finish", show=True),
    _key("e", "empty", "Empty batch", "Erase the batch for good", id="trash.empty", show=True),
    _key("E", "empty_all", "Empty all", "Empty the trash", id="trash.empty_all", show=True),
    _key("h", "history", "History", "What was done before", id="trash.history", show=True),
    _key("escape,q,T", "back", "Back", "Go back", id="trash.back", show=True, display="esc"),
)

LOG = (
    _key("slash", "search", "Search", "Search the whole log", id="log.search", show=True),
    _key("n", "hit(1)", "Next", "To the next hit, N to the one before", id="log.next", show=True),
    _key("N", "hit(-1)", "Previous", "To the hit before", id="log.previous"),
    _key("e", "find('error',1)", "Error", "To the next error", id="log.error", show=True),
    _key("E", "find('error',-1)", "Error above", "To the error before", id="log.error_above"),
    _key("a", "find('warning',1)", "Warning", "To the next warning", id="log.warning", show=True),
    _key(
        "A", "find('warning',-1)", "Warning above", "To the warning before", id="log.warning_above"
    ),
    _key("w", "wrap", "Wrap", "Let long lines go on below, or cut them", id="log.wrap", show=True),
    _key("left", "sideways(-1)", "Left", "Left in long lines", id="log.left", display="←"),
    _key("right", "sideways(1)", "Right", "Right in long lines", id="log.right", display="→"),
    _key("o", "other", "Outer", "log.outer beside it; tab walks over", id="log.other", show=True),
    _key("F", "last", "Follow", "To the end, and follow it", id="log.follow", show=True),
    _key(
        "escape,q,l",
        "back",
        "Back",
        "Stop a search, else go back",
        id="log.back",
        show=True,
        display="esc",
    ),
)

APP = (
    _key("question_mark", "help", "Help", "These keys, and the rules", id="help", show=True),
    _key("q", "quit", "Quit", "Leave; nothing is changed", id="quit", show=True),
)

GROUPS = (
    Group("Move", MOVES),
    Group("Mark", MARKS),
    Group("Filter", FILTERS),
    Group("Search", SEARCH),
    Group("Look", VIEW),
    Group("Purge", PURGE),
    Group("In the log", LOG),
    Group("In the trash", TRASH),
    Group("App", APP),
)
BROWSE = (*MARKS, *SEARCH, *FILTERS, *VIEW, *PURGE)
