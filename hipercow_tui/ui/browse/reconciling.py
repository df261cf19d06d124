"""The key that lets R ask the cluster about tasks, on the main screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.output.reconciling import targets_among
from hipercow_tui.support.text import pluralize, short_id
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import BUNDLES, TASKS
from hipercow_tui.ui.cells import plain_text

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.reconcile import AskChoice

_NOTHING = "There is no submitted or running task of R here, and none that may be stuck"
_NONE_MARKED = "None of the marked tasks is a submitted or running task of R"


class Reconciling(Controller):
    """Offers to ask about the marked tasks; without marks about the current task or bundle, or
    about all tasks that may be stuck. ``refresh`` is called after R was started."""

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        refresh: Callable[[], None],
    ) -> None:
        super().__init__(session, screen, panes)
        self._refresh = refresh

    def ask(self) -> None:
        """Ask which tasks are meant, and let R ask the cluster about them."""
        from hipercow_tui.ui.dialogs.reconcile import PYTHON, READ_ONLY, ReconcileScreen

        choices = list(self._choices())
        possible = [one for one in choices if one.targets.tasks]

        def ended(started: bool | None) -> None:
            if started:
                self._refresh()

        if self._session.read_only:
            self._screen.notify(READ_ONLY, severity="warning", markup=False)
        elif possible:
            self._screen.app.push_screen(ReconcileScreen(possible, self._session.root), ended)
        elif any(one.targets.python for one in choices):
            self._screen.notify(PYTHON, markup=False)
        else:
            self._screen.notify(_NONE_MARKED if self._session.marks.ids else _NOTHING)

    def _choices(self) -> Iterator[AskChoice]:
        from hipercow_tui.ui.dialogs.reconcile import AskChoice

        snapshot, view_model = self._session.snapshot, self._session.view_model
        if marks := self._session.marks.ids:
            marked = targets_among(snapshot.existing(marks))
            yield AskChoice(pluralize(len(marked.tasks), "marked task"), "Ask", marked)
            return
        pane = self._panes.current
        source = pane.copy_source if pane.name in (TASKS, BUNDLES) else None
        here = targets_among(source.tasks if source else ())
        stuck = targets_among(snapshot.existing(view_model.stuck if view_model else ()))
        if source is not None and set(here.ids) != set(stuck.ids):
            if (bundle := source.bundle_name) is None:
                yield AskChoice(f"this task, {short_id(source.tasks[0].id)}", "This task", here)
            else:
                number = pluralize(len(here.tasks), "unfinished task")
                yield AskChoice(f"{number} of {plain_text(bundle)}", "This bundle", here)
        number = pluralize(len(stuck.tasks), "task")
        yield AskChoice(f"{number} that may be stuck (!)", "All stuck", stuck)
