from __future__ import annotations

import gzip
import io
import json
import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from failing_in_r import FRAMES, run_failing_tasks
from rds_files import FIXTURES, char, ints

from hipercow_tui.formats.r_conditions import read_failure_text
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.support.errors import RdsError

MESSAGES: dict[str, str] = json.loads((FIXTURES / "messages.json").read_text("utf-8"))
HEADER = b"X\n" + struct.pack(">iii", 2, 0x40202, 0x20300)
NULL = 0xFE


def read_error(source: Source) -> str:
    return read_failure_text(source).message


def fixture(name: str) -> bytes:
    return (FIXTURES / f"condition_{name}.rds").read_bytes()


def texts(*words: str) -> bytes:
    return ints(16, len(words)) + b"".join(map(char, words))


def condition(parts: dict[str, bytes], *classes: str) -> bytes:
    """A serialized condition: a list with names and class."""
    return b"".join(
        (
            ints(0x313, len(parts)),
            *parts.values(),
            ints(0x402, 1) + char("names") + texts(*parts),
            ints(0x402, 1) + char("class") + texts(*classes, "error", "condition"),
            ints(NULL),
        )
    )


@pytest.mark.parametrize("name", MESSAGES)
def test_texts_equal_those_of_r(name: str) -> None:
    assert read_error(io.BytesIO(fixture(name))) == MESSAGES[name]


def test_texts_of_a_real_root_equal_those_of_hipercow(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    failed = [task for task in sir_model_expected["tasks"] if task.get("error")]
    assert len(failed) == 10
    for task in failed:
        path = sir_model / "hipercow" / "tasks" / task["id"][:2] / task["id"][2:] / "result"
        with path.open("rb") as file:
            assert read_error(file) == task["error"]


@pytest.mark.parametrize("raw", [ints(NULL), texts("no", "condition"), ints(13, 1, 5)])
def test_value_that_is_not_a_condition_raises_an_error(raw: bytes) -> None:
    with pytest.raises(RdsError, match="it has no error"):
        read_error(HEADER + raw)


def test_condition_without_a_message_has_an_empty_text() -> None:
    assert read_error(HEADER + ints(19, 0)) == ""
    assert read_error(HEADER + condition({"message": ints(NULL)})) == ""
    assert read_error(HEADER + condition({"message": ints(NULL)}, "rlang_error")) == ""


RECORDED_FRAMES = {
    "fit": "check()",
    "nested": "check()",
    "anonymous": "anonymous()",
    "aborted": "aborted()",
    "caused": "check()",
    "reworded": "reworded()",
    "turned": "turned()",
    "checked": "checked()",
    "base_call": "base_call()",
    "no_call": "no_call()",
    "method": "model$run()",
    "passed": "passed()",
    "callback": "fn()",
    "package": "stats::optim()",
    "expression": "",
    "expression_call": "log()",
    "script": "",
}


@pytest.mark.parametrize("name", RECORDED_FRAMES)
def test_frame_of_an_error_of_the_real_package_is_the_function_of_the_user(name: str) -> None:
    raw = (FRAMES / f"{name}.rds").read_bytes()
    assert read_failure_text(io.BytesIO(raw)).frame == RECORDED_FRAMES[name]


def test_the_real_package_fails_as_recorded(tmp_path: Path) -> None:
    results = run_failing_tasks(tmp_path)
    found = {
        name: read_failure_text(io.BytesIO(path.read_bytes())) for name, path in results.items()
    }
    assert {name: text.frame for name, text in found.items()} == RECORDED_FRAMES
    recorded = {
        name: read_error(io.BytesIO((FRAMES / f"{name}.rds").read_bytes())) for name in found
    }
    assert {name: text.message for name, text in found.items()} == recorded


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("base_call", "log()"),
        ("error_condition", "g()"),
        ("rlang_parent", "inner_fun()"),
        ("rlang_namespaced", "stats::rnorm()"),
        ("rlang_eval", ""),
        ("rlang_anonymous", ""),
        ("lost", ""),
    ],
)
def test_frame_of_an_error_without_a_trace_is_its_call(name: str, frame: str) -> None:
    assert read_failure_text(io.BytesIO(fixture(name))).frame == frame


def trace(*frames: tuple[bytes, str, str]) -> bytes:
    """A serialized trace: calls, namespaces and scopes."""
    calls, namespaces, scopes = zip(*frames, strict=True)
    return b"".join(
        (
            ints(0x213, 3, 19, len(frames)),
            *calls,
            texts(*namespaces),
            texts(*scopes),
            ints(0x402, 1) + char("names") + texts("call", "namespace", "scope"),
            ints(NULL),
        )
    )


def call_of(name: str) -> bytes:
    return ints(6, 1) + char(name) + ints(NULL)


def test_trace_of_many_frames_gives_the_innermost() -> None:
    frames = [(call_of("solve"), "pkg", "::")] * 20_000 + [(call_of("step"), "pkg", ":::")]
    raw = condition({"message": texts("deep"), "trace": trace(*frames)})
    assert read_failure_text(HEADER + raw).frame == "pkg::step()"


NESTED_HEADS = ints(6) * 240 + ints(NULL) * 241


@pytest.mark.parametrize(
    "call",
    [call_of("f" * 90_000), NESTED_HEADS, ints(6, NULL, NULL), ints(NULL)],
    ids=["long name", "nested heads", "no function", "not a call"],
)
def test_odd_calls_in_a_trace_hide_nothing_else(call: bytes) -> None:
    frames = trace((call_of("g"), "pkg", "::"), (call, "pkg", "::"))
    raw = condition({"message": texts("m"), "trace": frames, "marker": texts("later")})
    found = read_failure_text(HEADER + raw)
    assert found.message == "m" and len(found.frame) < 200


def test_a_huge_trace_before_the_rest_is_skipped_in_little_memory() -> None:
    frame = ints(6, 1) + char("f") + ints(2, 14, 20_000) + bytes(160_000) + ints(NULL)
    calls = ints(19, 200) + frame * 200
    environments = ints(19, 1000) + (ints(4, 0) + ints(NULL) * 4) * 1000
    later = ints(6, (1201 << 8) + 0xFF, NULL)  # refers to a symbol after all of them
    raw = HEADER + condition(
        {
            "message": texts("outer"),
            "trace": ints(19, 2) + calls + environments,
            "marker": ints(1) + char("late"),
            "parent": condition({"message": texts("inner"), "call": later}),
        },
        "rlang_error",
    )
    packed = io.BytesIO(gzip.compress(raw, 1))
    tracemalloc.start()
    try:
        text = read_error(packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text == "outer\nCaused by error in `late()`:\n! inner"
    assert len(raw) > 32_000_000
    assert peak < 2_000_000


def test_a_long_text_is_cut_with_a_count() -> None:
    raw = condition({"message": texts("b" * 25_000)})
    assert read_error(HEADER + raw) == "b" * 20_000 + "… (5,000 more characters)"
    huge = condition({"message": texts("b" * 3_000_000)})
    assert read_error(HEADER + huge).endswith(" more characters)")
    assert len(read_error(HEADER + huge)) < 20_100


def test_many_parents_and_many_parts_are_bounded() -> None:
    raw = condition({"message": texts("root")}, "rlang_error")
    for _ in range(60):
        raw = condition({"message": texts("m"), "parent": raw}, "rlang_error")
    assert read_error(HEADER + raw).count("Caused by error") == 19
    parts = {f"p{at}": texts("x") for at in range(5000)}
    assert read_error(HEADER + condition({"message": texts("many"), **parts})) == "many"


def test_deeply_nested_calls_hide_nothing_else() -> None:
    deep = (ints(6, 1) + char("+") + ints(2)) * 3000 + ints(14, 1) + bytes(8) + ints(NULL) * 3000
    inner = condition({"message": texts("inner"), "call": deep})
    parts = {"message": texts("outer"), "call": deep, "parent": inner, "footer": texts("end")}
    text = read_error(HEADER + condition(parts, "rlang_error"))
    assert text.startswith("outer\nend\nCaused by error in `")
    assert text.endswith("\n! inner")


def test_truncated_file_raises_an_error() -> None:
    for name in ("rlang_parent", "with_warnings"):
        plain = gzip.decompress(fixture(name))
        for end in range(0, len(plain), 7):
            with pytest.raises(RdsError):
                read_error(plain[:end])


def test_damaged_file_raises_an_error_or_gives_another_text() -> None:
    random.seed(9)
    files = [gzip.decompress(fixture(name)) for name in MESSAGES]
    for _ in range(2000):
        raw = bytearray(random.choice(files))
        for _ in range(random.randint(1, 4)):
            raw[random.randrange(len(raw))] = random.choice((0, 1, 255, random.randrange(256)))
        try:
            assert isinstance(read_error(bytes(raw)), str)
        except RdsError as error:
            assert str(error)


WARNINGS = Path(FIXTURES).parent / "warnings"
PRINTED: dict[str, str] = json.loads((WARNINGS / "printed.json").read_text("utf-8"))


@pytest.mark.parametrize("name", PRINTED)
def test_warnings_are_printed_as_in_r(name: str) -> None:
    told = read_failure_text((WARNINGS / f"{name}.rds").read_bytes())
    assert told.message == "it ended"
    assert told.warnings == PRINTED[name]


def test_an_error_without_warnings_has_none() -> None:
    assert [name for name in MESSAGES if read_failure_text(fixture(name)).warnings] == [
        "with_warnings"
    ]


def test_number_of_warnings_is_limited_as_in_r() -> None:
    warned = condition({"message": texts("w"), "call": ints(NULL)}, "simpleWarning")
    parts = {"message": texts("end"), "warnings": ints(19, 3000) + warned * 3000}
    told = read_failure_text(HEADER + condition(parts))
    assert told.message == "end"
    assert told.warnings.splitlines()[-1] == "50: w"
