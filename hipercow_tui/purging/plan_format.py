"""The JSON format of a plan, for saved plans and for the manifests of batches.

The schema of a saved plan is ``schemas/plan.json``. A file that is read may be edited or hostile:
every id, name and status is checked, and an unknown key is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from hipercow_tui.domain.cautions import Caution, CautionKind
from hipercow_tui.domain.filters import (
    FilterStack,
    FinishedBefore,
    InBundle,
    OfLang,
    TaskIds,
    WithStatus,
)
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import Bundle, BundleId, Lang, Status, Task, is_bundle_name
from hipercow_tui.formats.json_fields import (
    JsonFields,
    absolute_path,
    flag,
    list_of,
    one_of,
    optional,
    seconds,
    shown_text,
    task_id,
    text,
    whole_number,
)
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

FORMAT = 1
LIMIT = 1 << 30  # bytes of a plan; a plan of a million tasks has about 400 million
WORK = 512_000_000  # the limit for load_json; a task costs about 150
Json: TypeAlias = dict[str, Any]


def plan_to_dict(plan: PurgePlan) -> Json:
    """Encode a plan as JSON values. Bytes of a name that are not UTF-8 become lone surrogates."""
    saved: Json = {
        "format": FORMAT,
        "root": str(plan.root),
        "planned": plan.made,
        "filters": _encode_filters(plan.filters),
        "skip_blocked": plan.skip_blocked,
        "tasks": [_encode_task(one) for one in plan.tasks],
        "bundles": [_encode_bundle(one) for one in plan.bundles],
        "warnings": plan.warnings,
        "ignored_bundles": [{"name": name, "lang": lang} for lang, name in plan.ignored_bundles],
    }
    if plan.kept:  # earlier versions refuse a plan that has this key
        saved["kept"] = [_encode_task(one) for one in plan.kept]
    if plan.goal:  # as above
        saved["goal"] = plan.goal
    return saved


def _encode_filters(filters: FilterStack) -> Json:
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


def _encode_task(planned: PlannedTask) -> Json:
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
        "regrets": [caution.text for caution in planned.cautions],
    }


def _encode_bundle(planned: PlannedBundle) -> Json:
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
    """Decode the values of ``plan_to_dict``; the bundles have no ``stamp``.

    Raises ValueError, with the end of a sentence about the file, for anything else.
    """
    if isinstance(data, dict) and "dry_run" in data:
        raise ValueError(
            "it is a report for people and scripts, without the details that are checked before a"
            " purge (--json prints it, and an earlier version of the app saved it). Save the plan"
            " again, with 'e' in the app or with 'hipercow-tui purge --save-plan FILE'"
        )
    fields = JsonFields(data, "the plan")
    number = fields.take("format", whole_number)
    if number != FORMAT:
        raise ValueError(f"its format is {number}, not {FORMAT}: use the version that saved it")
    tasks = fields.take("tasks", list_of(_planned_task))
    bundles = fields.take("bundles", list_of(_planned_bundle))
    kept = fields.take("kept", optional(list_of(_planned_task))) or ()
    if len({one.task.id for one in (*tasks, *kept)}) < len(tasks) + len(kept):
        raise ValueError("it lists a task twice")
    if len({(one.bundle.lang, one.bundle.name) for one in bundles}) < len(bundles):
        raise ValueError("it lists a bundle twice")
    # Absent in plans that were saved before --ignore-unreadable-bundles existed.
    ignored = fields.take("ignored_bundles", optional(list_of(_ignored_bundle)))
    plan = PurgePlan(
        root=Path(fields.take("root", absolute_path)),
        made=fields.take("planned", seconds),
        filters=fields.take("filters", _filters),
        tasks=tasks,
        bundles=bundles,
        skip_blocked=fields.take("skip_blocked", flag),
        warnings=fields.take("warnings", list_of(shown_text)),
        ignored_bundles=ignored or (),
        kept=kept,
        goal=fields.take("goal", optional(shown_text)) or "",
    )
    fields.end()
    return plan


def _ignored_bundle(data: Any) -> BundleId:
    fields = JsonFields(data, "an ignored bundle")
    lang, name = Lang(fields.take("lang", one_of(Lang))), fields.take("name", text)
    fields.end()
    return lang, name


def _planned_task(data: Any) -> PlannedTask:
    fields = JsonFields(data, "a task")
    task = Task(
        id=fields.take("id", task_id),
        status=Status(fields.take("status", one_of(Status))),
        files_mask=fields.take("listing", whole_number),
        created=fields.take("created", optional(seconds)),
        started=fields.take("started", optional(seconds)),
        finished=fields.take("finished", optional(seconds)),
        finished_estimated=fields.take("finished_estimated", flag),
        chain=fields.take("chain", list_of(task_id)),
        lang=Lang(fields.take("lang", one_of(Lang))),
    )
    planned = PlannedTask(
        task,
        Reason(fields.take("reason", one_of(Reason))),
        fields.take("of", optional(task_id)),
        fields.take("regrets", list_of(_caution)),
    )
    fields.end()
    if task.chain and task.id not in task.chain:
        raise ValueError(f"the retry chain of {task.id} does not contain it")
    if (planned.reason is Reason.RETRY_CHAIN) != (planned.cause_id is not None) or (
        planned.cause_id is not None and planned.cause_id not in task.chain
    ):
        raise ValueError(f"the 'of' and the reason of {task.id} do not agree with its retry chain")
    return planned


def _caution(data: Any) -> Caution:
    return Caution(CautionKind.SAVED, shown_text(data))


def _planned_bundle(data: Any) -> PlannedBundle:
    fields = JsonFields(data, "a bundle")
    bundle = Bundle(
        name=fields.take("name", text),
        task_ids=fields.take("task_ids", list_of(task_id)),
        lang=Lang(fields.take("lang", one_of(Lang))),
        link=fields.take("link", optional(text)) or "",
    )
    if not is_bundle_name(bundle.name, bundle.lang):
        raise ValueError(f"'{escape_controls(bundle.name[:40])}' is not a name of a bundle")
    deleted, surviving = (
        fields.take("deleted", whole_number),
        fields.take("surviving", whole_number),
    )
    fields.end()
    return PlannedBundle(bundle, deleted, surviving)


def _filters(data: Any) -> FilterStack:
    fields = JsonFields(data, "the filters")
    ids = fields.take("task_ids", optional(list_of(task_id)))
    before = fields.take("finished_before", optional(_finished_before))
    globs = fields.take("in_bundle", optional(list_of(text)))
    statuses = fields.take("with_status", optional(_with_status))
    lang = fields.take("lang", optional(one_of(Lang)))
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
    fields = JsonFields(data, "finished_before")
    before = FinishedBefore(fields.take("moment", seconds), fields.take("text", shown_text))
    fields.end()
    return before


def _with_status(data: Any) -> WithStatus:
    fields = JsonFields(data, "with_status")
    statuses = fields.take("statuses", list_of(one_of(Status)))
    wanted = WithStatus(frozenset(map(Status, statuses)), fields.take("follow", flag))
    fields.end()
    return wanted
