"""All keys of the app by screen, and the keys that the user chose instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen, Screen

from hipercow_tui.settings.key_file import ChosenKeys, KeyFile
from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.browse.screen import BrowseScreen
from hipercow_tui.ui.dialogs.cancel import CancelScreen
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.columns import ColumnsScreen
from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen
from hipercow_tui.ui.dialogs.export_inputs import ExportInputsScreen
from hipercow_tui.ui.dialogs.fetch_logs import FetchLogsScreen
from hipercow_tui.ui.dialogs.goal import GoalScreen
from hipercow_tui.ui.dialogs.help import HelpScreen, HelpSection
from hipercow_tui.ui.dialogs.note import NoteScreen
from hipercow_tui.ui.dialogs.older_than import OlderThanScreen
from hipercow_tui.ui.dialogs.pin_note import PinNoteScreen
from hipercow_tui.ui.dialogs.problems import ProblemsScreen
from hipercow_tui.ui.dialogs.reconcile import ReconcileScreen
from hipercow_tui.ui.dialogs.save_filter import SaveFilterScreen
from hipercow_tui.ui.dialogs.save_plan import SavePlanScreen
from hipercow_tui.ui.dialogs.save_report import SaveReportScreen
from hipercow_tui.ui.dialogs.sort_menu import SortMenuScreen
from hipercow_tui.ui.key_names import keys_of, shown_keys, textual_key, user_key
from hipercow_tui.ui.keymap import APP_KEYS, KEY_GROUPS, SCROLL_KEYS, KeyGroup, Keymap
from hipercow_tui.ui.screens.contents import ContentsScreen
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen, MessageTable
from hipercow_tui.ui.screens.help_report import HelpReportScreen
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.screens.task_details import TaskDetailsScreen
from hipercow_tui.ui.screens.trash import TrashScreen
from hipercow_tui.ui.waiting import WaitingApp
from hipercow_tui.ui.widgets.bundle_table import BundleTable
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView
from hipercow_tui.ui.widgets.error_table import ErrorTable
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.filters.language import LanguageFilter
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.filters.status import StatusFilter
from hipercow_tui.ui.widgets.menu_list import MenuList
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.widgets.record_list import RecordList
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.space_details import SpaceDetailsView
from hipercow_tui.ui.widgets.space_table import SpaceTable
from hipercow_tui.ui.widgets.sweep_chart import SweepChart
from hipercow_tui.ui.widgets.sweep_table import SweepTable
from hipercow_tui.ui.widgets.task_details import TaskDetailsView
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.virtual_list import VirtualList

MAIN = "On the main screen"
FALLBACK = "explain_purge"  # its keys may be given to others

# A title, and the screen with the widgets that can have the focus in it. To a new screen or widget
# with keys belongs an entry here.
_SCREENS: tuple[tuple[str, tuple[type, ...]], ...] = (
    (
        MAIN,
        (
            BrowseScreen,
            TaskTable,
            BundleTable,
            ErrorTable,
            SpaceTable,
            SearchBar,
            TaskDetailsView,
            ErrorDetailsView,
            SpaceDetailsView,
        ),
    ),
    ("In the filters", (FilterPanel, StatusFilter, AgeSlider, LanguageFilter)),
    ("In the plan", (PlanScreen, PlanList)),
    ("In the details of a planned task", (TaskDetailsScreen, TaskDetailsView)),
    ("In the log", (LogScreen,)),
    ("In the inputs", (SweepScreen, SweepTable, SweepChart, SearchBar)),
    ("In the messages of an error", (ErrorMessagesScreen, MessageTable, ScrollText)),
    ("In a report", (HelpReportScreen, ScrollText)),
    ("In the trash", (TrashScreen, RecordList)),
    ("In the history", (HistoryScreen, RecordList)),
    ("In the contents of a batch", (ContentsScreen, VirtualList)),
    ("In a question", (ChoiceScreen,)),
    ("In the copy menu", (CopyMenuScreen, MenuList)),
    ("In the sort menu", (SortMenuScreen, MenuList)),
    ("In the list of columns", (ColumnsScreen, MenuList)),
    ("While inputs are exported", (ExportInputsScreen, MenuList)),
    ("While filters are saved", (SaveFilterScreen,)),
    ("While a goal is set", (GoalScreen,)),
    ("While an age is typed", (OlderThanScreen,)),
    ("While a plan is saved", (SavePlanScreen,)),
    ("While a report is saved", (SaveReportScreen,)),
    ("While something is pinned", (PinNoteScreen,)),
    ("While a note is written", (NoteScreen,)),
    ("In the list of unreadable files", (ProblemsScreen, ScrollText)),
    ("While R runs", (CancelScreen, ScrollText)),
    ("While R asks the cluster", (ReconcileScreen, ScrollText)),
    ("While outer logs are fetched", (FetchLogsScreen, ScrollText)),
    ("In the help", (HelpScreen, ScrollText)),
    ("While the root is searched for", (WaitingApp,)),
)
_WITHOUT_APP = ("In the filters", "While the root is searched for")


@dataclass(frozen=True, slots=True)
class Context:
    """The keys that work at the same time, on one screen."""

    title: str
    screen: type
    keys: tuple[Binding, ...]

    @property
    def is_dialog(self) -> bool:
        """Whether the screen lies on another one, and shows its own keys."""
        return issubclass(self.screen, ModalScreen | App)


@cache
def contexts() -> Sequence[Context]:
    """Return the keys of each screen, with those of its widgets and of the app."""
    return tuple(
        Context(title, classes[0], tuple(dict.fromkeys(_keys_of(title, classes))))
        for title, classes in _SCREENS
    )


def _keys_of(title: str, classes: Sequence[type]) -> Iterator[Binding]:
    for each in classes:
        for base in each.__mro__:
            if base.__module__.startswith("hipercow_tui."):
                yield from (key for key in base.__dict__.get("BINDINGS", ()) if key.id)
    if not issubclass(classes[0], ModalScreen) and title not in _WITHOUT_APP:
        yield from APP_KEYS


@cache
def groups() -> Sequence[KeyGroup]:
    """Return all keys, each once, under titles for the help."""
    *main, app = KEY_GROUPS
    found = [*main, KeyGroup("Text that scrolls", SCROLL_KEYS)]
    seen = {key.id for group in (*found, app) for key in group.keys}
    for context in contexts():
        own = tuple(key for key in context.keys if key.id not in seen)
        seen.update(key.id for key in own)
        if own:
            found.append(KeyGroup(context.title, own))
    return (*found, app)


@cache
def keys_by_id() -> Mapping[str, Binding]:
    """Return every key by its id."""
    return {key.id: key for group in groups() for key in group.keys if key.id}


def load_keymap(file: KeyFile | None) -> Keymap:
    """Read the user's keys, and leave out those that can't be used."""
    chosen = file.read() if file else ChosenKeys()
    keymap = resolve(chosen.keys)
    problems = (f"{file}, {problem}" for problem in keymap.problems)
    return Keymap(keymap.keys, (*chosen.problems, *problems))


def resolve(chosen: Mapping[str, Sequence[str]]) -> Keymap:
    """Return the chosen keys without unknown ids and keys, and without conflicts on any screen.

    A key with a problem keeps its default, so leaving it out can cause another conflict.
    """
    keys: dict[str, str] = {}
    problems: list[str] = []
    for name, wanted in chosen.items():
        found = [textual_key(key.strip()) for key in wanted]
        if name not in keys_by_id():
            problems.append(_unknown_id(name))
        elif None in found:
            unknown = escape_controls(wanted[found.index(None)])
            problems.append(
                f"'{name}': there is no key '{unknown}'. Use a character, or a name such as"
                f" f5, ctrl+x or pagedown. {_default(name)}"
            )
        else:
            keys[name] = ",".join(filter(None, found))
    while conflicts := _conflicts(keys):
        problems += conflicts.values()
        keys = {name: key for name, key in keys.items() if name not in conflicts}
    return Keymap(keys, tuple(problems))


def _unknown_id(name: str) -> str:
    near = difflib.get_close_matches(name, keys_by_id(), n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return (
        f"'{escape_controls(name)}': there is no such id; {hint}'hipercow-tui keys' lists all ids"
    )


def _default(name: str) -> str:
    keys = " ".join(map(user_key, keys_of(keys_by_id()[name], {})))
    return f"The default is used: {keys}"


def _conflicts(keys: Mapping[str, str]) -> Mapping[str, str]:
    """Return a sentence for each chosen id with a key that already has a meaning on its screen.

    Keys that two bindings share by default are meant to: a widget takes the key before its screen.
    """
    conflicts: dict[str, str] = {}
    for context in contexts():
        for one, other in permutations(context.keys, 2):
            name, other_name = one.id or "", other.id or ""
            if name not in keys or other_name in (name, FALLBACK):
                continue
            shared = set(keys_of(one, keys)) & set(keys_of(other, keys))
            if shared and not set(keys_of(one, {})) & set(keys_of(other, {})):
                place = context.title[0].lower() + context.title[1:]
                sentence = (
                    f"'{name}': the key '{user_key(min(shared))}' is also that of '{other_name}'"
                    f" ({place}). Choose another key for one of them. {_default(name)}"
                )
                conflicts.setdefault(name, sentence)
    return conflicts


def help_sections(screen: Screen[Any], keymap: Mapping[str, str]) -> Sequence[HelpSection]:
    """Return the keys for the help: first those that do something on the screen now, then those of
    other screens. Dialogs show their keys themselves."""
    active = {
        active.binding.id: active.binding
        for active in screen.active_bindings.values()
        if active.enabled and active.binding.id
    }
    of_screen = {
        key.id
        for context in contexts()
        if isinstance(screen, context.screen)
        for key in context.keys
    }
    dialogs = {context.title for context in contexts() if context.is_dialog}
    here: list[HelpSection] = []
    elsewhere: list[HelpSection] = []
    for group in groups():
        if working := [key for key in group.keys if key.id in active]:
            here.append(_section(group.title, working, keymap))
        elif group.title not in dialogs and not of_screen.intersection(k.id for k in group.keys):
            elsewhere.append(_section(group.title, group.keys, keymap))
    others = [binding for name, binding in active.items() if name not in keys_by_id()]
    if others:
        here.append(_section("In this place", others, keymap))
    here.sort(key=lambda section: not section.title.startswith("In "))
    return (*here, *elsewhere)


def _section(title: str, keys: Sequence[Binding], keymap: Mapping[str, str]) -> HelpSection:
    return HelpSection(title, tuple((shown_keys(key, keymap), help_text(key)) for key in keys))


def help_text(binding: Binding) -> str:
    """Return what a key does, in a few words."""
    return binding.tooltip or binding.description
