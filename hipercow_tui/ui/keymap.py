"""The keys of the app, the main screen, the plan, the log and the trash, for the footer and the
help.

The command palette reads them too. Other screens, dialogs and widgets bind their own keys: for
example the history, the inputs and the questions before a purge.
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


def _key(
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
    _key("j,down", "move(1)", "Down", "Down one row", id="down", display="j ↓"),
    _key("k,up", "move(-1)", "Up", "Up one row", id="up", display="k ↑"),
    _key(
        "pagedown,ctrl+f",
        "page(1)",
        "Page down",
        "Down one page",
        id="pagedown",
        display="PgDn ctrl+f",
    ),
    _key("pageup,ctrl+b", "page(-1)", "Page up", "Up one page", id="pageup", display="PgUp ctrl+b"),
    _key("ctrl+d", "page(0.5)", "Half down", "Down half a page", id="half_down", display="ctrl+d"),
    _key("ctrl+u", "page(-0.5)", "Half up", "Up half a page", id="half_up", display="ctrl+u"),
    _key("g,home", "first", "First", "First row", id="first", display="g Home"),
    _key("G,end", "last", "Last", "Last row", id="last", display="G End"),
    _key(
        "enter",
        "open",
        "Open",
        "Task: all details; bundle or error: only its tasks; in Space: what it holds",
        id="open",
        display="Enter",
    ),
)

BACK_KEY = _key(
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
    _key("j", "scroll_down", "", "Down one line", id="scroll.down"),
    _key("k", "scroll_up", "", "Up one line", id="scroll.up"),
    _key("space,ctrl+f", "page_down", "", "Down one page", id="scroll.page_down"),
    _key("ctrl+b", "page_up", "", "Up one page", id="scroll.page_up"),
    _key("ctrl+d", "half_page(1)", "", "Down half a page", id="scroll.half_down"),
    _key("ctrl+u", "half_page(-1)", "", "Up half a page", id="scroll.half_up"),
    _key("g", "scroll_home", "", "To the beginning", id="scroll.home"),
    _key("G", "scroll_end", "", "To the end", id="scroll.end"),
)

MARK_KEYS = (
    _key(
        "space",
        "mark",
        "Mark",
        "Mark or unmark the tasks of the row, and go to the next",
        id="mark",
        show=True,
    ),
    _key("v", "range", "Range", "Start a range; v again marks it, esc cancels it", id="range"),
    _key(
        "a",
        "mark_all",
        "Mark all",
        "Mark all matched tasks; during a search, only those found",
        id="mark_all",
    ),
    _key("u", "unmark", "Unmark all", "Remove all marks", id="unmark"),
)

SEARCH_KEYS = (
    _key(
        "slash",
        "search",
        "Search",
        "Search the list; beta > 0.9 compares an input as a number",
        id="search",
        show=True,
    ),
    _key("n", "hit(1)", "Next hit", "Next hit", id="next_hit"),
    _key("N", "hit(-1)", "Previous hit", "Previous hit", id="previous_hit"),
)

MATCH_KEYS = (
    _key(
        "right_square_bracket",
        "match(1)",
        "Next match",
        "Next row that is matched",
        id="next_match",
    ),
    _key(
        "left_square_bracket",
        "match(-1)",
        "Previous match",
        "Previous row that is matched",
        id="previous_match",
    ),
)

FILTER_KEYS = (
    *(
        _key(
            str(number),
            f"status({number})",
            status.capitalize(),
            f"Filter by {GLYPH[status]} {status}: on or off",
            id=f"status_{status}",
        )
        for number, status in enumerate(FILTERABLE_STATUSES, 1)
    ),
    _key("m", "only_matched", "Matched", "Show only matched tasks, or all", id="only", show=True),
    _key("h", "fold", "Filters", "Hide or show the filters", id="fold"),
    _key(
        "0",
        "clear_filters",
        "No filter",
        "Remove all filters and marks, and show all tasks",
        id="clear",
    ),
    _key(
        "f",
        "save_filters",
        "Save filters as …",
        "Save the filters under a name; ctrl+p applies them",
        id="save_filters",
    ),
)

VIEW_KEYS = (
    _key("s", "sort", "Sort", "Reverse the sort order", id="sort"),
    _key("S", "sort_menu", "Sort by …", "Choose the column to sort by", id="sort_menu"),
    _key(
        "less_than_sign",
        "sort_by(-1)",
        "Sort left",
        "Sort by the column to the left",
        id="sort_left",
    ),
    _key(
        "greater_than_sign",
        "sort_by(1)",
        "Sort right",
        "Sort by the column to the right",
        id="sort_right",
    ),
    _key("F", "columns", "Columns …", "Choose the columns", id="columns"),
    _key("b", "toggle_pane('bundles')", "Bundles", "Show bundles; again: tasks", id="switch"),
    _key("e", "toggle_pane('errors')", "Errors", "Show errors; again: tasks", id="errors"),
    _key(
        "w",
        "toggle_pane('space')",
        "Space",
        "Show where the space went; again: tasks",
        id="space_tab",
    ),
    _key("o", "messages", "Messages", "Show every message of an error", id="messages"),
    _key("i", "inputs", "Inputs", "Show inputs of a bundle or an error as columns", id="inputs"),
    _key("l", "log", "Log", "Show the log of the task", id="log", show=True),
    _key("z", "sizes", "Sizes", "Measure marked, matched or all tasks; again: stop", id="sizes"),
    _key("Z", "size_kind", "Size or disk", "Sizes: bytes in files, or as du", id="size_kind"),
    _key("r", "refresh", "Refresh", "Read the root now", id="refresh"),
    _key(
        "R",
        "reconcile",
        "Ask the cluster",
        "Let R ask the cluster whether marked or stuck tasks still run, and free those that ended",
        id="reconcile",
    ),
    _key(
        "W",
        "wait",
        "Wait",
        "Report the end of the row's tasks, or of the marked tasks; again: stop",
        id="wait",
    ),
    _key("c", "copy", "Copy", "Copy ids, rows or R calls; cancel or retry in R", id="copy"),
    _key(
        "E",
        "export",
        "Export inputs",
        "Export inputs of marked tasks, a bundle, an error or all matched tasks",
        id="export",
    ),
    _key(
        "A",
        "note",
        "Note",
        "Write a note on the chain or bundle, or the marked ones, for all users",
        id="note",
    ),
    _key("M", "report", "Report", "Report on the task or error, to ask for help", id="report"),
    _key("exclamation_mark", "problems", "Problems", "List unreadable files", id="problems"),
    _key("tab", "app.focus_next", "Next pane", "Next pane; shift+tab: previous pane", id="pane"),
)

# Not one of the keys before it: in the footer it is less important than the plan.
GROUP_KEY = _key(
    "t",
    "group",
    "Group",
    "In Errors: group by message, frame or node; in Space: by bundle, call, status, age and so on",
    id="group",
    show=True,
)

PURGE_KEYS = (
    _key("p", "plan", "Plan", "Show the plan of a purge, with reasons", id="plan", show=True),
    _key(
        "P",
        "pin",
        "Pin",
        "Pin the chain or bundle, or the marked ones: no purge takes them; again: unpin",
        id="pin",
    ),
    _key(
        "U",
        "undo",
        "Undo",
        "Stop the running purge, or restore the last batch of the trash",
        id="undo",
        show=True,
    ),
    _key(
        "d,x,delete",
        "explain_purge",
        "",
        "Nothing is deleted: they say that p plans a purge",
        id="explain_purge",
    ),
    _key("T", "trash", "Trash", "Show the trash and interrupted purges", id="trash"),
    _key("H", "history", "History", "Show past purges, restores and emptyings", id="history"),
)

TRASH_KEYS = (
    _key(
        "enter",
        "open",
        "Open",
        "List what the batch holds",
        id="trash.open",
        show=True,
        display="Enter",
    ),
    _key("r", "restore", "Restore", "Restore the batch", id="trash.restore", show=True),
    _key("f", "finish", "Finish", "Finish an interrupted purge", id="trash.finish", show=True),
    _key("e", "empty", "Empty batch", "Erase the batch for good", id="trash.empty", show=True),
    _key("E", "empty_all", "Empty all", "Empty the trash", id="trash.empty_all", show=True),
    _key(
        "o",
        "empty_old",
        "Empty old…",
        "Empty the batches that are older than an age",
        id="trash.empty_old",
        show=True,
    ),
    _key("h", "history", "History", "Show the history", id="trash.history", show=True),
    _key("escape,q,T", "back", "Back", "Go back", id="trash.back", show=True, display="esc"),
)

PLAN_KEYS = (
    _key("D", "purge", "Purge…", "Purge this plan, after a question", id="plan.purge", show=True),
    _key(
        "space",
        "keep",
        "Keep",
        "Keep the chain, or all chains of a bundle or group; again: take them back",
        id="plan.keep",
        show=True,
    ),
    _key(
        "P",
        "pin",
        "Pin",
        "Pin the chain or bundle: no purge takes it; again: unpin",
        id="plan.pin",
    ),
    _key(
        "x",
        "leave_out",
        "Leave out blocked",
        "Leave out blocked chains: on or off",
        id="plan.skip",
        show=True,
    ),
    _key(
        "R",
        "reconcile",
        "Ask the cluster",
        "Let R ask the cluster whether the blocked tasks still run, and free those that ended",
        id="plan.reconcile",
        show=True,
    ),
    _key(
        "f",
        "goal",
        "Free…",
        "Stop as soon as a given size is freed: whole chains, in an order",
        id="plan.goal",
        show=True,
    ),
    _key(
        "I",
        "ignore",
        "Ignore bundles",
        "Ignore unreadable bundles: on or off",
        id="plan.ignore",
        show=True,
    ),
    _key(
        "t",
        "group",
        "Group",
        "Group by reason, bundle, error, age or nothing",
        id="plan.group",
        show=True,
    ),
    _key("s", "sort", "Sort", "Reverse the sort order", id="plan.sort"),
    _key(
        "less_than_sign",
        "sort_by(-1)",
        "Sort left",
        "Sort by id, what runs, size or age: the previous one",
        id="plan.sort_left",
    ),
    _key(
        "greater_than_sign",
        "sort_by(1)",
        "Sort right",
        "Sort by age, size, what runs or id: the next one",
        id="plan.sort_right",
    ),
    _key("left", "fold(True)", "Fold", "Fold the chain or group", id="plan.fold", display="←"),
    _key(
        "right",
        "fold(False)",
        "Unfold",
        "Unfold the chain or group",
        id="plan.unfold",
        display="→",
    ),
    _key(
        "enter",
        "details",
        "Details",
        "Show all details of the task",
        id="plan.details",
        display="Enter",
    ),
    _key("l", "log", "Log", "Show the log of the task", id="plan.log"),
    _key("M", "report", "Report", "Report on the task, to ask for help", id="plan.report"),
    _key(
        "i",
        "inputs",
        "Inputs",
        "Show the inputs of its bundle, or else of its group, as columns",
        id="plan.inputs",
    ),
    _key(
        "slash",
        "search",
        "Search",
        "Search the plan; beta > 0.9 compares an input as a number",
        id="plan.search",
        show=True,
    ),
    _key("n", "hit(1)", "Next hit", "Next hit", id="plan.next_hit"),
    _key("N", "hit(-1)", "Previous hit", "Previous hit", id="plan.previous_hit"),
    _key(
        "right_square_bracket",
        "go(1)",
        "Next group",
        "Go to the next group or warning",
        id="plan.next",
    ),
    _key(
        "left_square_bracket",
        "go(-1)",
        "Previous group",
        "Go to the previous group or warning",
        id="plan.previous",
    ),
    _key(
        "escape,q",
        "back",
        "Back",
        "End the search, or go back; nothing is changed",
        id="plan.back",
        show=True,
        display="esc",
    ),
    _key("e", "save", "Save plan", "Save the plan as JSON", id="plan.save", show=True),
    _key(
        "c",
        "copy",
        "Copy R call",
        "Copy the R call that purges the same tasks",
        id="plan.copy",
        show=True,
    ),
)

LOG_KEYS = (
    _key("slash", "search", "Search", "Search the whole log", id="log.search", show=True),
    _key("n", "hit(1)", "Next", "Next hit", id="log.next", show=True),
    _key("N", "hit(-1)", "Previous", "Previous hit", id="log.previous"),
    _key("e", "find('error',1)", "Error", "Next error", id="log.error", show=True),
    _key("E", "find('error',-1)", "Previous error", "Previous error", id="log.previous_error"),
    _key("a", "find('warning',1)", "Warning", "Next warning", id="log.warning", show=True),
    _key(
        "A",
        "find('warning',-1)",
        "Previous warning",
        "Previous warning",
        id="log.previous_warning",
    ),
    _key("w", "wrap", "Wrap", "Wrap or cut long lines", id="log.wrap", show=True),
    _key("left", "sideways(-1)", "Left", "Scroll left", id="log.left", display="←"),
    _key("right", "sideways(1)", "Right", "Scroll right", id="log.right", display="→"),
    _key(
        "o",
        "other",
        "Outer",
        "Show, fetch or hide log.outer; tab switches",
        id="log.other",
        show=True,
    ),
    _key("r", "fetch", "Fetch", "Fetch log.outer from the cluster again", id="log.fetch"),
    _key("F", "last", "Follow", "Go to the end and follow it", id="log.follow", show=True),
    _key(
        "escape,q,l",
        "back",
        "Back",
        "Stop a search, or go back",
        id="log.back",
        show=True,
        display="esc",
    ),
)

HELP_KEY = _key("question_mark", "help", "Help", "Show the keys and rules", id="help", show=True)

APP_KEYS = (
    _key("ctrl+p,colon", "command_palette", "Palette", "Find any command by name", id="palette"),
    HELP_KEY,
    _key("q", "quit", "Quit", "Quit", id="quit", show=True),
)

KEY_GROUPS = (
    KeyGroup("Move", (*MOVE_KEYS, BACK_KEY)),
    KeyGroup("Mark", MARK_KEYS),
    KeyGroup("Filter", FILTER_KEYS),
    KeyGroup("Search", (*SEARCH_KEYS, *MATCH_KEYS)),
    KeyGroup("View", (*VIEW_KEYS, GROUP_KEY)),
    KeyGroup("Purge", PURGE_KEYS),
    KeyGroup("In the plan", PLAN_KEYS),
    KeyGroup("In the log", LOG_KEYS),
    KeyGroup("In the trash", TRASH_KEYS),
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
