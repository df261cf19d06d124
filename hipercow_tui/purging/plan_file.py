"""A plan as JSON values and back: a file to carry out later or elsewhere, and a lot's manifest.

What is read is taken for hostile: every id, name and status is checked, and nothing unknown passes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from hipercow_tui.domain.filters import (
    FilterStack,
    FinishedBefore,
    InBundle,
    OfLang,
    TaskIds,
    WithStatus,
)
from hipercow_tui.domain.plan import (
    PlannedBundle,
    PlannedTask,
    PurgePlan,
    Reason,
    block_reason,
    find_blocked,
)
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import TASK_ID, Bundle, BundleId, Lang, Status, Task, is_bundle_name
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import FilterError, PurgeError
from hipercow_tui.support.text import escape_controls, pluralize, short_id

FORMAT = 1
LIMIT = 1 << 30  # bytes of a saved plan: that of a million tasks has some 400 million
WORK = 512_000_000  # as load_json counts it: a task takes some 150
Json: TypeAlias = dict[str, Any]
_T = TypeVar("_T")


def save_plan(plan: PurgePlan, path: str | os.PathLike[str]) -> None:
    """Write the plan to a file that does not exist yet.

    Raises PurgeError if the plan is refused or the file can't be written.
    """
    shown = escape_controls(str(path))
    if plan.refused:
        raise PurgeError("The plan is blocked: leave out the blocked chains before you save it")
    try:
        with open(path, "x", encoding="ascii", opener=open_private) as file:
            try:
                json.dump(plan_to_dict(plan), file, indent=1)
                file.write("\n")
                file.flush()
            except OSError:
                os.unlink(path)
                raise
    except FileExistsError:
        raise PurgeError(f"{shown} exists: a saved plan replaces no file, name another") from None
    except OSError as error:
        reason = escape_controls(error.strerror or str(error))
        raise PurgeError(f"{shown} can't be written: {reason}") from None


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """An opener for a new file of the user's own: no one else may read it, whatever the umask."""
    return os.open(path, flags, 0o600)


def load_plan(path: str | os.PathLike[str]) -> PurgePlan:
    """The plan that was saved in a file. Raises PurgeError if that can't be read or is none."""
    shown = escape_controls(str(path))
    try:
        data = load_json(read_file(path, limit=LIMIT), work=WORK)
    except OSError as error:
        reason = escape_controls(error.strerror or str(error))
        raise PurgeError(f"{shown} can't be read: {reason}") from None
    except ValueError as error:
        raise PurgeError(f"{shown} is no saved plan: it {error}") from None
    try:
        return plan_from_dict(data)
    except ValueError as error:
        raise PurgeError(f"{shown} is no saved plan: {error}") from None


def find_changes(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    """What is different now from what the plan names, as sentences: a task, its status or files, a
    retry, what stands in a bundle."""
    going = set(plan.ids)
    going_of = {lang: set(plan.of_lang(lang).ids) for lang in Lang}
    for one in plan.tasks:
        task, now = one.task, snapshot.tasks.get(one.task.id)
        if now is None or now.lang is not task.lang:
            yield f"task {task.id} is gone"
        elif now.status is not task.status:
            yield f"task {task.id} was {task.status} and is {now.status}"
        elif now.files_mask != task.files_mask:
            yield f"task {task.id} holds other files"
        elif reason := block_reason(now):
            yield f"task {task.id} can't go: {reason}"
        elif now.chain != task.chain:
            new = [short_id(i) for i in now.chain if i not in task.chain]
            yield f"task {task.id} was retried{': ' if new else ''}{', '.join(new)}"
        elif not going.issuperset(i for i in now.chain if i not in snapshot.non_task_ids):
            yield f"task {task.id} would go without the rest of its retry chain"
    then = {(one.bundle.lang, one.bundle.name): one.bundle for one in plan.bundles}
    bundles = {(bundle.lang, bundle.name): bundle for bundle in snapshot.bundles}
    for key, bundle in then.items():
        found = bundles.get(key)
        if found is None:
            yield f"bundle '{escape_controls(bundle.name)}' is gone"
        elif (found.task_ids, found.link) != (bundle.task_ids, bundle.link):
            yield f"bundle '{escape_controls(bundle.name)}' was rewritten"
    for key, bundle in bundles.items():
        named = going_of[bundle.lang].intersection(bundle.task_ids)
        if key not in then and named:
            yield f"bundle '{escape_controls(bundle.name)}' names {_some(named)} now"
    yield from _blocked_now(plan, snapshot)


def _blocked_now(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    """What blocks the plan's chains beside what the statuses of its tasks say: each reason once."""
    for lang in plan.langs:
        part, own = snapshot.of_lang(lang), plan.of_lang(lang)
        going = {one.task.id for one in own.tasks}
        chains = {i for one in own.tasks for i in one.task.chain}
        ignored = [name for _, name in own.ignored_bundles]
        reasons: dict[str, set[str]] = {}
        for one in find_blocked(part, going | chains, plan.made, ignored):
            if one.task.id not in going or not block_reason(one.task):
                reasons.setdefault(one.reason, set()).add(one.task.id)
        for reason, ids in reasons.items():
            yield f"{_some(ids)} can't go: {reason}"


def _some(ids: set[str]) -> str:
    first = short_id(min(ids))
    return first if len(ids) == 1 else f"{pluralize(len(ids), 'task')} ({first} …)"


def plan_to_dict(plan: PurgePlan) -> Json:
    """The plan as JSON values. Names that are no UTF-8 keep their bytes as lone surrogates."""
    return {
        "format": FORMAT,
        "root": str(plan.root),
        "planned": plan.made,
        "filters": _filters_as_saved(plan.filters),
        "skip_blocked": plan.skip_blocked,
        "tasks": [_task_as_saved(one) for one in plan.tasks],
        "bundles": [_bundle_as_saved(one) for one in plan.bundles],
        "warnings": plan.warnings,
        "ignored_bundles": [{"name": name, "lang": lang} for lang, name in plan.ignored_bundles],
    }


def _filters_as_saved(filters: FilterStack) -> Json:
    saved: Json = {}
    if filters.task_ids is not None:
        saved["task_ids"] = sorted(filters.task_ids.ids)
    if filters.finished_before is not None:
        before = filters.finished_before
        saved["finished_before"] = {"moment": before.cutoff, "text": before.text}
    if filters.in_bundle is not None:
        saved["in_bundle"] = filters.in_bundle.patterns
    if filters.with_status is not None:
        wanted = filters.with_status
        saved["with_status"] = {"statuses": sorted(wanted.statuses), "follow": wanted.follow}
    if filters.lang is not None:
        saved["lang"] = filters.lang.lang
    return saved


def _task_as_saved(planned: PlannedTask) -> Json:
    task = planned.task
    return {
        "id": task.id,
        "lang": task.lang,
        "status": task.status,
        "listing": task.files_mask,
        "created": task.created,
        "started": task.started,
        "finished": task.finished,
        "finished_estimated": task.finished_estimated,
        "chain": task.chain,
        "reason": planned.reason,
        "of": planned.cause_id,
        "regrets": planned.cautions,
    }


def _bundle_as_saved(planned: PlannedBundle) -> Json:
    bundle = planned.bundle
    return {
        "name": bundle.name,
        "lang": bundle.lang,
        "link": bundle.link,
        "task_ids": bundle.task_ids,
        "deleted": planned.deleted,
        "surviving": planned.surviving,
    }


def plan_from_dict(data: Any) -> PurgePlan:
    """The plan that ``plan_to_dict`` gave, its bundles without their files' stamps.

    Raises ValueError, which says what is wrong, for anything else.
    """
    fields = _Fields(data, "it")
    number = fields.take("format", _whole)
    if number != FORMAT:
        raise ValueError(f"its format is {number}, not {FORMAT}: use the version that saved it")
    tasks = fields.take("tasks", _each(_planned_task))
    bundles = fields.take("bundles", _each(_planned_bundle))
    if len({one.task.id for one in tasks}) < len(tasks):
        raise ValueError("it names a task twice")
    if len({(one.bundle.lang, one.bundle.name) for one in bundles}) < len(bundles):
        raise ValueError("it names a bundle twice")
    # Plans that were saved before there was such a choice have no such field.
    ignored = fields.take("ignored_bundles", _maybe(_each(_ignored_bundle)))
    plan = PurgePlan(
        root=Path(fields.take("root", _path)),
        made=fields.take("planned", _seconds),
        filters=fields.take("filters", _filters),
        tasks=tasks,
        bundles=bundles,
        skip_blocked=fields.take("skip_blocked", _flag),
        warnings=fields.take("warnings", _each(_shown_text)),
        ignored_bundles=ignored or (),
    )
    fields.end()
    return plan


def _ignored_bundle(data: Any) -> BundleId:
    fields = _Fields(data, "an ignored bundle")
    lang, name = Lang(fields.take("lang", _one_of(Lang))), fields.take("name", _text)
    fields.end()
    return lang, name


def _planned_task(data: Any) -> PlannedTask:
    fields = _Fields(data, "a task")
    task = Task(
        id=fields.take("id", _id),
        status=Status(fields.take("status", _one_of(Status))),
        files_mask=fields.take("listing", _whole),
        created=fields.take("created", _maybe(_seconds)),
        started=fields.take("started", _maybe(_seconds)),
        finished=fields.take("finished", _maybe(_seconds)),
        finished_estimated=fields.take("finished_estimated", _flag),
        chain=fields.take("chain", _each(_id)),
        lang=Lang(fields.take("lang", _one_of(Lang))),
    )
    planned = PlannedTask(
        task,
        Reason(fields.take("reason", _one_of(Reason))),
        fields.take("of", _maybe(_id)),
        fields.take("regrets", _each(_shown_text)),
    )
    fields.end()
    if task.chain and task.id not in task.chain:
        raise ValueError(f"the chain of {task.id} is not its own")
    if (planned.reason is Reason.RETRY_CHAIN) != (planned.cause_id is not None) or (
        planned.cause_id is not None and planned.cause_id not in task.chain
    ):
        raise ValueError(f"what drew {task.id} in is not in its chain")
    return planned


def _planned_bundle(data: Any) -> PlannedBundle:
    fields = _Fields(data, "a bundle")
    bundle = Bundle(
        name=fields.take("name", _text),
        task_ids=fields.take("task_ids", _each(_id)),
        lang=Lang(fields.take("lang", _one_of(Lang))),
        link=fields.take("link", _maybe(_text)) or "",
    )
    if not is_bundle_name(bundle.name, bundle.lang):
        raise ValueError(f"'{escape_controls(bundle.name[:40])}' is no bundle's name")
    deleted, surviving = fields.take("deleted", _whole), fields.take("surviving", _whole)
    fields.end()
    return PlannedBundle(bundle, deleted, surviving)


def _filters(data: Any) -> FilterStack:
    fields = _Fields(data, "its filters")
    ids = fields.take("task_ids", _maybe(_each(_id)))
    before = fields.take("finished_before", _maybe(_finished_before))
    globs = fields.take("in_bundle", _maybe(_each(_text)))
    statuses = fields.take("with_status", _maybe(_with_status))
    lang = fields.take("lang", _maybe(_one_of(Lang)))
    fields.end()
    try:
        in_bundle = None if globs is None else InBundle.of(globs)
    except FilterError as error:
        raise ValueError(str(error)) from None
    return FilterStack(
        None if ids is None else TaskIds(frozenset(ids)),
        before,
        in_bundle,
        statuses,
        None if lang is None else OfLang(Lang(lang)),
    )


def _finished_before(data: Any) -> FinishedBefore:
    fields = _Fields(data, "finished_before")
    before = FinishedBefore(fields.take("moment", _seconds), fields.take("text", _shown_text))
    fields.end()
    return before


def _with_status(data: Any) -> WithStatus:
    fields = _Fields(data, "with_status")
    statuses = fields.take("statuses", _each(_one_of(Status)))
    wanted = WithStatus(frozenset(map(Status, statuses)), fields.take("follow", _flag))
    fields.end()
    return wanted


class _Fields:
    """The fields of a JSON object, each taken once; nothing may be left over."""

    def __init__(self, data: Any, what: str) -> None:
        if not isinstance(data, dict):
            raise ValueError(f"{what} is no object")
        self._left: Json = dict(data)
        self._what = what

    def take(self, name: str, check: Callable[[Any], _T]) -> _T:
        """The field's value, checked; that of one that is not there is None."""
        try:
            return check(self._left.pop(name, None))
        except ValueError as error:
            raise ValueError(f"'{name}' of {self._what}: {error}") from None

    def end(self) -> None:
        """Raises ValueError if there are more fields."""
        if self._left:
            raise ValueError(
                f"'{escape_controls(next(iter(self._left)))}' of {self._what} is unknown"
            )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")
    return value


def _shown_text(value: Any) -> str:
    """A text that is only shown: what a terminal would obey in it is escaped."""
    return escape_controls(_text(value))


def _path(value: Any) -> str:
    text = _text(value)
    if "\0" in text or not text.startswith("/"):
        raise ValueError("is no path from the top")
    return text


def _id(value: Any) -> str:
    text = _text(value)
    if not TASK_ID.match(text):
        raise ValueError(f"'{escape_controls(text[:40])}' is no task id")
    return text


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 1 << 53:
        raise ValueError("is no whole number")
    return value


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e15:
        raise ValueError("is no time")
    return float(value)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("is neither true nor false")
    return value


def _maybe(check: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    return lambda value: None if value is None else check(value)


def _each(check: Callable[[Any], _T]) -> Callable[[Any], tuple[_T, ...]]:
    def checked(value: Any) -> tuple[_T, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("is no list")
        return tuple(map(check, value))

    return checked


def _one_of(words: type[StrEnum]) -> Callable[[Any], str]:
    known = [word.value for word in words]

    def checked(value: Any) -> str:
        if value not in known:
            raise ValueError(f"is none of {', '.join(known)}")
        return str(value)

    return checked
