"""What the screen of a plan has other threads read: the calls of tasks, and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hipercow_tui.analysis.plan_arrangement import ChainKey, Grouping
from hipercow_tui.analysis.plan_rows import searched_tasks
from hipercow_tui.analysis.plan_tree import KnownFacts
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Status
from hipercow_tui.ui.workers.plan_view import PlanRequest
from hipercow_tui.ui.workers.summary_loader import SummaryLoader


class PlanReadings:
    """Requests calls, and knows whether more was read that a view depends on.

    ``on_loaded`` is called in the thread of the loader, after calls were read.
    """

    def __init__(
        self, loader: SummaryLoader, known: KnownFacts, on_loaded: Callable[[], object]
    ) -> None:
        self._requests = loader.subscribe(on_loaded)
        self._known = known
        self._failures = len(known.failures)  # when the view was made
        self._more_calls = False

    def close(self) -> None:
        """Cancel the requests."""
        self._requests.close()

    def want_lines(self, ids: Iterable[str]) -> None:
        """Read the calls of the tasks on the screen first."""
        self._requests.want(ids)

    def want_for(self, request: PlanRequest, plan: PurgePlan) -> None:
        """Read the calls of all tasks if the order or the search depends on them."""
        if _needs_calls(request):
            tasks = searched_tasks(plan)
            self._requests.want_all(t.id for t in tasks if t.status is not Status.BROKEN)

    def calls_loaded(self) -> None:
        """Note that the calls of more tasks were read."""
        self._more_calls = True

    def take_news(self, request: PlanRequest) -> bool:
        """Return whether more was read that the view of a request depends on, once."""
        by_error = request.arrangement.grouping is Grouping.ERROR
        more_failures = by_error and len(self._known.failures) != self._failures
        news = more_failures or (_needs_calls(request) and self._more_calls)
        if news:
            self._failures, self._more_calls = len(self._known.failures), False
        return news


def _needs_calls(request: PlanRequest) -> bool:
    return bool(request.query) or request.arrangement.key is ChainKey.WHAT
