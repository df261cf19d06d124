"""How the demo's tasks fail: R conditions as ``hipercow::task_eval`` saves them in ``result``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hipercow_tui.demo.r_builders import (
    NULL,
    Buildable,
    call,
    chars,
    data_frame,
    flags,
    function,
    ints,
    named,
    symbol,
    value,
)
from hipercow_tui.demo.rds_writer import Filling, Hole, Template
from hipercow_tui.formats.rlang.values import RList, RValue, RVector

LOST = "task reported as lost"


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """One way to fail. Texts are formats over the task's values and some noise (``{step}``).

    ``call`` is what raised it (None: none is stored). With ``bullets`` or ``parent`` it is an
    rlang error, else one of base R. ``warning`` was raised on the way. Without ``traced`` it has
    no trace, as where hipercow itself reports a lost task.
    """

    message: str
    call: Buildable = None
    bullets: tuple[tuple[str, str], ...] = ()
    parent: str | None = None
    warning: str | None = None
    classes: tuple[str, ...] = ("simpleError", "error", "condition")
    traced: bool = True

    def texts(self, values: Mapping[str, Filling]) -> tuple[str, ...]:
        """Message, bullets, parent's message and warning with the task's values in them."""
        formats = (self.message, *(text for _, text in self.bullets), self.parent, self.warning)
        return tuple(text.format_map(values) for text in formats if text is not None)

    def condition_message(self, texts: tuple[str, ...]) -> str:
        """What R's ``conditionMessage`` gives, as the task's log shows it."""
        signs = {"x": "✖", "i": "ℹ", "!": "!", "*": "•"}
        lines = [texts[0]]
        lines += [
            f"{signs[kind]} {text}"
            for (kind, _), text in zip(self.bullets, texts[1:], strict=False)
        ]
        if self.parent is not None:
            lines += ["Caused by error in `filter$run()`:", f"! {texts[1 + len(self.bullets)]}"]
        return "\n".join(lines)


LOST_TASK = Failure(LOST, traced=False)


def result(failure: Failure, evaluator: str, texts: tuple[str, ...]) -> bytes:
    """The ``result`` file of a task that failed so; ``evaluator`` is its type of task."""
    filled = {f"text{index}": text for index, text in enumerate(texts)}
    return _template(failure, evaluator).rds(filled)


@cache
def _template(failure: Failure, evaluator: str) -> Template:
    texts = [Hole(f"text{index}") for index in range(2 + len(failure.bullets))]
    if failure.bullets or failure.parent is not None:
        return Template(_rlang_error(failure, evaluator, texts))
    fields: list[tuple[str, RValue]] = [("message", chars(texts[0])), ("call", value(failure.call))]
    if failure.traced:
        fields.append(("trace", _trace(failure, evaluator, texts[0])))
    if failure.warning is not None:
        warned = _condition(
            (("message", chars(texts[1])), ("call", value(failure.call))),
            ("simpleWarning", "warning", "condition"),
        )
        fields.append(("warnings", RList((warned,))))
    return Template(_condition(tuple(fields), failure.classes))


def _rlang_error(failure: Failure, evaluator: str, texts: list[Hole]) -> RList:
    marks = chars(*(mark for mark, _ in failure.bullets))
    bullets = texts[1 : 1 + len(failure.bullets)]
    body = RVector("character", tuple(bullets), (("names", marks),)) if bullets else NULL
    parent: RValue = NULL
    if failure.parent is not None:
        cause = chars(texts[1 + len(bullets)])
        raised_by = call(call("$", symbol("filter"), symbol("run")))
        parent = _condition(
            (("message", cause), ("call", raised_by)), ("simpleError", "error", "condition")
        )
    return _condition(
        (
            ("message", chars(texts[0])),
            ("trace", _trace(failure, evaluator, texts[0], rlang=True)),
            ("parent", parent),
            ("body", body),
            ("call", value(failure.call)),
            ("use_cli_format", flags(True)),
        ),
        ("rlang_error", "error", "condition"),
    )


def _condition(fields: tuple[tuple[str, RValue], ...], classes: tuple[str, ...]) -> RList:
    return named(*fields, extra=(("class", chars(*classes)),))


def _trace(failure: Failure, evaluator: str, message: Hole, *, rlang: bool = False) -> RList:
    """An ``rlang_trace``: a data frame of calls, with their parents by number."""
    data, envir, verbose = symbol("data"), symbol("envir"), symbol("verbose")
    expr = symbol("expr")
    ours = call("$", data, symbol("expr"))
    catch = function(("e",), call("<-", call("$", symbol("local"), symbol("error")), symbol("e")))
    raised = value(failure.call)
    frames: list[tuple[RValue, int, str | None, str | None]] = [
        (call("rlang::try_fetch", call(f"task_eval_{evaluator}", data, envir, verbose),
              error=catch), 0, "rlang", "::"),
        (call("tryCatch", call("withCallingHandlers", expr)), 1, "base", "::"),
        (call("tryCatchList", expr, symbol("classes"), symbol("handlers")), 2, "base", "local"),
        (call("withCallingHandlers", expr), 1, "base", "::"),
        (call(f"task_eval_{evaluator}", data, envir, verbose), 0, "hipercow", ":::"),
        (call("eval_with_hr", call("eval", ours, envir), "task logs", verbose), 5, "hipercow",
         ":::"),
        (call("force", expr), 6, "base", "::"),
        (call("eval", ours, envir), 5, "base", "::"),
        (raised, 8, None, "global"),
    ]  # fmt: skip
    if rlang:
        frames.append((call("cli::cli_abort", message), 9, "cli", "::"))
    else:
        handled = call(".handleSimpleError", symbol("<fn>"), message, call("base::quote", raised))
        frames += [
            (call("stop", message), 9, "base", "::"),
            (handled, 0, "base", "::"),
            (call("h", call("simpleError", symbol("msg"), symbol("call"))), 11, "rlang", "local"),
            (call(call("[[", symbol("handlers"), ints(2)), symbol("cnd")), 12, None, None),
        ]
    rows = len(frames)
    columns: list[tuple[str, RValue]] = [
        ("call", RList(tuple(frame[0] for frame in frames))),
        ("parent", ints(*(frame[1] for frame in frames))),
        ("visible", flags(*(True for _ in frames))),
        ("namespace", chars(*(frame[2] for frame in frames))),
        ("scope", chars(*(frame[3] for frame in frames))),
    ]
    if rlang:
        columns.append(("error_frame", flags(*(index == 8 for index in range(rows)))))
    return data_frame(
        tuple(columns),
        rows,
        chars("rlang_trace", "rlib_trace", "tbl", "data.frame"),
        before=(("version", ints(2)),),
    )
