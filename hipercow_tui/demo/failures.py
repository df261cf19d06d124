"""Errors of failed tasks of the demo, as hipercow's ``task_eval`` saves them in ``result``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hipercow_tui.demo.r_builders import (
    NULL,
    Literal,
    call,
    chars,
    data_frame,
    flags,
    ints,
    literal,
    named,
    symbol,
)
from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.formats.rlang.values import RList, RValue, RVector

_BASE_CLASSES = ("simpleError", "error", "condition")


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """One way to fail. It is an rlang error if it has bullets or a parent, else one of base R.

    Attributes:
        message: The message. This and the other texts are format strings over the values of the
            task and ``studies.noise``.
        call: The call that raises the error; None for an error without a call.
        bullets: Lines below the message: rlang's sign for each, and its text.
        parent: The message of the error that caused this one.
        warning: A warning before the error.
        has_trace: False for an error that hipercow itself reports.
    """

    message: str
    call: Literal = None
    bullets: tuple[tuple[str, str], ...] = ()
    parent: str | None = None
    warning: str | None = None
    has_trace: bool = True

    def texts(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return message, bullets, message of the parent and warning, filled with values."""
        formats = (self.message, *(text for _, text in self.bullets), self.parent, self.warning)
        return tuple(text.format_map(values) for text in formats if text is not None)

    def log_message(self, texts: tuple[str, ...]) -> str:
        """Return the message as a log shows it: R's ``conditionMessage`` with these texts."""
        signs = {"x": "✖", "i": "ℹ", "!": "!", "*": "•"}
        lines = [texts[0]]
        lines += [
            f"{signs[kind]} {text}"
            for (kind, _), text in zip(self.bullets, texts[1:], strict=False)
        ]
        if self.parent is not None:
            lines += ["Caused by error in `filter$run()`:", f"! {texts[1 + len(self.bullets)]}"]
        return "\n".join(lines)


LOST_TASK = Failure("task reported as lost", has_trace=False)


def result(failure: Failure, task_type: str, texts: tuple[str, ...]) -> bytes:
    """Return the file ``result`` of a failed task.

    Args:
        failure: How the task failed.
        task_type: hipercow's type of the task, such as ``expression``.
        texts: The texts of the failure, see ``Failure.texts``.
    """
    if failure.bullets or failure.parent is not None:
        return serialize(_rlang_error(failure, task_type, texts))
    raised_by = literal(failure.call)
    fields: list[tuple[str, RValue]] = [("message", chars(texts[0])), ("call", raised_by)]
    if failure.has_trace:
        fields.append(("trace", _trace(failure, task_type, texts[0])))
    if failure.warning is not None:
        warning = (("message", chars(texts[1])), ("call", raised_by))
        classes = ("simpleWarning", "warning", "condition")
        fields.append(("warnings", RList((_condition(warning, classes),))))
    return serialize(_condition(tuple(fields), _BASE_CLASSES))


def _rlang_error(failure: Failure, task_type: str, texts: tuple[str, ...]) -> RList:
    signs = chars(*(sign for sign, _ in failure.bullets))
    bullets = texts[1 : 1 + len(failure.bullets)]
    body = RVector("character", bullets, (("names", signs),)) if bullets else NULL
    parent: RValue = NULL
    if failure.parent is not None:
        raised_by = call(call("$", symbol("filter"), symbol("run")))
        cause = (("message", chars(texts[1 + len(bullets)])), ("call", raised_by))
        parent = _condition(cause, _BASE_CLASSES)
    fields: tuple[tuple[str, RValue], ...] = (
        ("message", chars(texts[0])),
        ("trace", _trace(failure, task_type, texts[0], rlang=True)),
        ("parent", parent),
        ("body", body),
        ("call", literal(failure.call)),
        ("use_cli_format", flags(True)),
    )
    return _condition(fields, ("rlang_error", "error", "condition"))


def _condition(fields: tuple[tuple[str, RValue], ...], classes: tuple[str, ...]) -> RList:
    return named(*fields, extra=(("class", chars(*classes)),))


def _trace(failure: Failure, task_type: str, message: str, *, rlang: bool = False) -> RList:
    """Return an ``rlang_trace``: a data frame of calls, with the number of each one's caller."""
    data, envir, verbose = symbol("data"), symbol("envir"), symbol("verbose")
    expr = symbol("expr")
    evaluate = call(f"task_eval_{task_type}", data, envir, verbose)
    code = call("eval", call("$", data, expr), envir)
    raise_error = call("cli::cli_abort" if rlang else "stop", message)
    frames: list[tuple[RValue, int, str | None, str]] = [
        (call("rlang::try_fetch", evaluate, error=symbol("handler")), 0, "rlang", "::"),
        (call("tryCatch", call("withCallingHandlers", expr)), 1, "base", "::"),
        (call("withCallingHandlers", expr), 1, "base", "::"),
        (evaluate, 0, "hipercow", ":::"),
        (call("eval_with_hr", code, "task logs", verbose), 4, "hipercow", ":::"),
        (call("force", expr), 5, "base", "::"),
        (code, 4, "base", "::"),
        (literal(failure.call), 7, None, "global"),
        (raise_error, 8, "cli" if rlang else "base", "::"),
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
        columns.append(("error_frame", flags(*(index == rows - 2 for index in range(rows)))))
    classes = chars("rlang_trace", "rlib_trace", "tbl", "data.frame")
    return data_frame(tuple(columns), rows, classes, before=(("version", ints(2)),))
