from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platformdirs.macos import MacOS
from platformdirs.windows import Windows
from small_root import NOW

from hipercow_tui.domain.filters import (
    FilterStack,
    FinishedBefore,
    InBundle,
    OfLang,
    TaskIds,
    WithStatus,
)
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Lang, Status
from hipercow_tui.settings.saved_filters import (
    NAME_LIMIT,
    FilterFile,
    SavedFilter,
    check_name,
)
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import cache_folder, config_folder

OLD = SavedFilter(frozenset({Status.FAILURE}), "9 days", ("sweep_*", "!sweep_09"))
MINE = SavedFilter(lang=Lang.PY)

ages = st.one_of(
    st.builds("{} {}".format, st.integers(0, 999), st.sampled_from(["h", "days", "weeks"])),
    st.dates(date(1970, 1, 2)).map(str),
)
letters = st.characters(exclude_categories=["Cs"])
globs = st.text(letters, min_size=1, max_size=12).filter(
    lambda glob: glob.strip() and not set(glob) & set("{}[]!\\")
)
statuses = st.sets(st.sampled_from(FILTERABLE_STATUSES), min_size=1)
stacks = st.builds(
    FilterStack,
    finished_before=st.none() | ages.map(lambda text: FinishedBefore.of(text, NOW)),
    in_bundle=st.none() | st.lists(globs, min_size=1, max_size=3).map(InBundle.of),
    with_status=st.none()
    | st.sets(st.sampled_from(FILTERABLE_STATUSES), min_size=1).map(WithStatus.for_list),
    lang=st.none() | st.sampled_from(Lang).map(OfLang),
    task_ids=st.none() | st.just(TaskIds(frozenset({"0" * 32}))),
).filter(lambda stack: SavedFilter.of(stack).given)
names = st.text(letters, min_size=1, max_size=20).filter(
    lambda name: name.strip() and name.isprintable() and escape_controls(name) == name
)


@pytest.fixture
def file(tmp_path: Path) -> FilterFile:
    return FilterFile(tmp_path / "config" / "filters.toml")


def written(file: FilterFile, text: str) -> FilterFile:
    file.path.parent.mkdir()
    file.path.write_text(text, encoding="utf-8")
    return file


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, stacks, min_size=1, max_size=4), st.data())
def test_saved_filters_are_read_back_as_the_same_stacks(
    saved: dict[str, FilterStack], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = FilterFile(Path(folder) / "filters.toml")
        for name, stack in saved.items():
            file.save(name, SavedFilter.of(stack))
        again, other = data.draw(st.sampled_from(sorted(saved))), data.draw(stacks)
        saved[again] = other
        file.save(again, SavedFilter.of(other))
        gone = data.draw(st.sampled_from(sorted(saved)))
        file.forget(gone)
        del saved[gone]
        read = file.read()
        assert not read.problems and not read.file_error
        assert read.filters.keys() == saved.keys()
        for name, stack in saved.items():
            back = read.filters[name].stack(NOW)
            assert back.task_ids is None
            assert back.finished_before == stack.finished_before
            assert back.with_status == stack.with_status and back.lang == stack.lang
            assert (back.in_bundle and back.in_bundle.patterns) == (
                stack.in_bundle and stack.in_bundle.patterns
            )


def test_a_relative_age_stays_relative(file: FilterFile) -> None:
    file.save("old", SavedFilter.of(FilterStack(finished_before=FinishedBefore.of("9 days", NOW))))
    later = file.get("old").stack(NOW + 1000).finished_before
    assert later is not None and later.cutoff == NOW + 1000 - 9 * 86400


def test_the_file_is_readable_toml(file: FilterFile) -> None:
    file.save("old", OLD)
    file.save('my "own" ones', MINE)
    assert file.path.read_text("utf-8").split("\n", 1)[1] == (
        '\n[old]\nstatus = ["failure"]\nfinished_before = "9 days"\n'
        'in_bundle = ["sweep_*", "!sweep_09"]\n\n["my \\"own\\" ones"]\nlang = "py"\n'
    )
    assert [path.name for path in file.path.parent.iterdir()] == ["filters.toml"]


BY_HAND = """# mine
[old]  # these
status = "failure"
finished_before = 2026-01-31
# above the next

[wrong]
stauts = "failure"

[ "last one" ]
in_bundle = [
  "a",
  "b",
]
"""


def test_a_file_written_by_hand_is_read_and_keeps_its_text(file: FilterFile) -> None:
    written(file, BY_HAND)
    read = file.read()
    assert read.filters == {
        "old": SavedFilter(frozenset({Status.FAILURE}), "2026-01-31"),
        "last one": SavedFilter(in_bundle=("a", "b")),
    }
    file.save("new", MINE)
    assert file.path.read_text("utf-8") == BY_HAND + '\n[new]\nlang = "py"\n'
    file.forget("new")
    file.forget("old")
    assert file.path.read_text("utf-8").startswith("# mine\n# above the next\n\n[wrong]\n")
    file.forget("last one")
    assert file.path.read_text("utf-8").rstrip().endswith('stauts = "failure"')


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('[bad]\nstauts = "failure"', "'stauts' is not a filter: use status, finished_before"),
        ('[bad]\nstatus = ["failed"]', "did you mean 'failure'"),
        ("[bad]\nstatus = []", 'status takes a text or a list of texts, such as ["failure"]'),
        ("[bad]\nstatus = [3]", "status takes a text"),
        ('[bad]\nfinished_before = "soon"', "'soon' is not a time: write an age"),
        ("[bad]\nfinished_before = 9", 'finished_before takes a text, such as "9 days"'),
        ("[bad]\nfinished_before = 10:00:00", "finished_before takes a text"),
        ('[bad]\nin_bundle = "{a"', "not closed"),
        ('[bad]\nin_bundle = "!a"', "only excludes"),
        ('[bad]\nin_bundle = [" "]', "in_bundle takes a text"),
        ('[bad]\nlang = "julia"', 'lang takes "r" or "py"'),
        ("[bad]\nlang = [1]", 'lang takes "r" or "py"'),
        ("[bad]", "it has no filters"),
        ('[bad.worse]\nlang = "r"', "'worse' is not a filter"),
        ('[[bad]]\nlang = "r"', "it is not a table"),
        ('["\\u001b[31m"]\nlang = "r"', "'␛[31m': The name of a filter is one line"),
    ],
)
def test_an_invalid_entry_gives_a_message_and_the_others_work(
    file: FilterFile, entry: str, message: str
) -> None:
    written(file, f'[good]\nlang = "py"\n{entry}\n')
    read = file.read()
    assert read.filters == {"good": MINE} and not read.file_error
    (problem,) = read.problems.values()
    assert message in problem and problem.startswith(f"{file.path}, filter '")
    assert file.get("good") == MINE
    if "bad" in read.problems:
        with pytest.raises(FilterError, match=r"filters\.toml, filter 'bad': "):
            file.get("bad")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[old\n", "is not valid TOML: .* line 1, .*: correct it, or remove it"),
        (b"a = 1\xff", "is not in UTF-8"),
        pytest.param(b"x = " + b"[" * 100_000, "is not valid TOML", id="nested"),
        pytest.param(b"#" * (2 << 20), "can't be read: is larger than", id="large"),
    ],
)
def test_a_file_that_is_not_toml_is_not_changed(file: FilterFile, raw: bytes, message: str) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(raw)
    for attempt in (
        lambda: file.save("old", OLD),
        lambda: file.forget("old"),
        lambda: file.get("old"),
    ):
        with pytest.raises(FilterError, match=message):
            attempt()
    assert file.read().file_error and file.path.read_bytes() == raw


def test_inline_tables_are_changed_in_their_place(file: FilterFile) -> None:
    written(file, '# first\nold = { status = "failure" } # short\nmine = { lang = "py" }\n')
    file.save("old", MINE)
    assert file.path.read_text("utf-8") == (
        '# first\nold = { lang = "py" } # short\nmine = { lang = "py" }\n'
    )
    file.forget("old")
    assert file.path.read_text("utf-8") == '# first\nmine = { lang = "py" }\n'


def test_a_saved_filter_keeps_its_place_and_comments(file: FilterFile) -> None:
    written(file, BY_HAND)
    file.save("old", MINE)
    assert file.path.read_text("utf-8").startswith(
        '# mine\n[old]  # these\nlang = "py"\n# above the next\n\n[wrong]\n'
    )
    assert file.path.read_text("utf-8").endswith(BY_HAND[BY_HAND.index("[wrong]") :])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "# a comment",
                "",
                "[old]",
                "[other]  # why",
                'status = "failure"',
                'in_bundle = ["a", # b\n  "c"]',
                'old.lang = "r"',
                'other = { lang = "r" }',
                "[[old]]",
                "[old.more]",
            ]
        ),
        max_size=8,
    )
)
def test_a_change_keeps_the_other_entries_of_a_file(lines: list[str]) -> None:
    """A file that can't be changed so is refused, and stays as it is."""
    text = "\n".join(lines) + "\n"
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    changes: list[Callable[[FilterFile], None]] = [
        lambda file: file.save("old", MINE),
        lambda file: file.forget("old"),
    ]
    for change in changes:
        with tempfile.TemporaryDirectory() as folder:
            file = FilterFile(Path(folder) / "filters.toml")
            file.path.write_text(text)
            try:
                change(file)
            except FilterError:
                assert file.path.read_text() == text
                continue
            after = tomllib.loads(file.path.read_text())
            others = {name: table for name, table in before.items() if name != "old"}
            assert {name: table for name, table in after.items() if name != "old"} == others
            assert after.get("old") in (None, {"lang": "py"})


def test_a_pipe_does_not_block_and_a_link_is_followed(file: FilterFile, tmp_path: Path) -> None:
    file.path.parent.mkdir()
    os.mkfifo(file.path)
    assert "is not a regular file" in file.read().file_error
    file.path.unlink()
    file.path.symlink_to(tmp_path / "dotfiles.toml")
    file.save("mine", MINE)
    assert file.path.is_symlink() and file.get("mine") == MINE


def test_an_unknown_name_gives_a_message_with_the_known_names(file: FilterFile) -> None:
    with pytest.raises(FilterError, match=r"No filter 'x' in .*: f in the app saves one"):
        file.get("x")
    file.save("old failures", OLD)
    file.save("mine", MINE)
    with pytest.raises(FilterError, match=r"there is 'old failures'$"):
        file.get("old failure")
    with pytest.raises(FilterError, match=r"there is 'old failures', 'mine'"):
        file.get("x")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x\u202ey", "x" * (NAME_LIMIT + 1)])
def test_an_invisible_or_long_name_is_refused(file: FilterFile, name: str) -> None:
    with pytest.raises(FilterError):
        check_name(name)
    with pytest.raises(FilterError):
        file.save(name, OLD)
    assert not file.path.exists()


def test_a_folder_that_cannot_be_written_gives_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FilterError, match=r"can't be (read|written): Not a directory"):
        FilterFile(tmp_path / "file" / "filters.toml").save("old", OLD)


def test_the_file_is_in_the_config_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert FilterFile.of_user().path == tmp_path / "hipercow-tui" / "filters.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_folder() == tmp_path / ".config" / "hipercow-tui"
    monkeypatch.setattr("platformdirs.PlatformDirs", MacOS)
    assert config_folder() == tmp_path / "Library" / "Application Support" / "hipercow-tui"
    assert cache_folder() == tmp_path / "Library" / "Caches" / "hipercow-tui"


def test_the_folders_on_windows_are_those_of_earlier_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("platformdirs.PlatformDirs", Windows)
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: f"{tmp_path}/{name}")
    assert config_folder() == tmp_path / "CSIDL_APPDATA" / "hipercow-tui"
    assert cache_folder() == tmp_path / "CSIDL_LOCAL_APPDATA" / "hipercow-tui"


def test_a_saved_filter_as_text_lists_its_filters() -> None:
    assert str(OLD) == (
        "status is failure · finished before 9 days ago · in bundle sweep_* !sweep_09"
    )
