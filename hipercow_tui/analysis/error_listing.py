"""Read and group the failures of a root at once, for a command or a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorGrouping, Failure
from hipercow_tui.analysis.failure_cache import FailureCache
from hipercow_tui.analysis.failure_grouping import group_failures
from hipercow_tui.analysis.failure_reader import read_failure
from hipercow_tui.analysis.failure_store import FailureStore
from hipercow_tui.analysis.node_reader import read_node
from hipercow_tui.analysis.rule_matcher import RuleMatcher
from hipercow_tui.domain.error_rules import ErrorRule
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root


class ErrorListing(NamedTuple):
    """The groups of failures, the largest first.

    ``problems`` are sentences on rules that could not be used.
    """

    by: ErrorGrouping
    groups: tuple[ErrorGroup, ...]
    problems: tuple[str, ...]

    @property
    def failed(self) -> int:
        """The number of failed tasks."""
        return sum(len(group.ids) for group in self.groups)


def list_errors(
    root: Root,
    failed: Sequence[Task],
    by: ErrorGrouping,
    rules: Sequence[ErrorRule],
    on_progress: Callable[[int], object] = lambda _: None,
) -> ErrorListing:
    """Read the failures of failed tasks, as far as the cache file does not have them, and group
    them.

    ``on_progress`` gets the number of tasks that were read so far.
    """
    store = FailureStore(root, FailureCache.of(root))
    store.load(rules)
    store.read_all(failed, on_progress)
    nodes = None
    if by is ErrorGrouping.NODE:
        nodes = {task.id: read_node(root, task) for task in failed}
    groups = group_failures(failed, store.failures, by=by, nodes=nodes)
    return ErrorListing(by, groups, tuple(store.problems))


class ExplainedFailure(NamedTuple):
    """How one failure is grouped: by message, frame and node, and by which rule if one matches.

    ``problems`` are sentences on rules that could not be used.
    """

    failure: Failure
    by_message: ErrorGroup
    frame: str
    node: str
    rule: ErrorRule | None
    problems: tuple[str, ...]


def explain_failure(root: Root, task: Task, rules: Sequence[ErrorRule]) -> ExplainedFailure:
    """Read the failure of a task, and return how it is grouped."""
    matcher = RuleMatcher(rules)
    try:
        failure = read_failure(root, task)
        (rule,) = matcher.find([failure.problem or failure.message])
    finally:
        matcher.close()
    if rule is not None:
        failure = failure._replace(rule=rule.name)
    (group,) = group_failures([task], {task.id: failure})
    node = read_node(root, task)
    return ExplainedFailure(failure, group, failure.frame, node, rule, tuple(matcher.problems))
