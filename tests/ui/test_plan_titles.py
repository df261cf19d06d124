from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from small_root import task_id

from hipercow_tui.analysis import plan_tree
from hipercow_tui.analysis.plan_rows import GroupFigures
from hipercow_tui.analysis.plan_tree import PlanGroup
from hipercow_tui.domain.plan import PlannedBundle
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.plan_titles import fit_title

RULES = (
    "_MATCHED",
    "_DRAWN_IN",
    "_BUNDLES",
    "_BLOCKED",
    "_PINNED",
    "_LEFT_OUT",
    "_LEFT_OUT_BY_GOAL",
)
WIDTH = 76  # of a title in a terminal of 80 columns
IDS = tuple(map(task_id, range(1400)))
BUNDLE = PlannedBundle(Bundle("fit_lancet_rev1", IDS), deleted=1380, surviving=20)
BUNDLES = {(Lang.R, "fit_lancet_rev1"): BUNDLE}
counts = st.integers(0, 9999)
figures = st.builds(
    GroupFigures,
    counts,
    counts,
    counts,
    counts,
    counts,
    counts,
    st.none() | st.builds(Size, st.integers(1, 10**15), counts, st.integers(1, 10**15)),
)
MATCHED = PlanGroup("matched", "matched", ())
OF_BUNDLE = PlanGroup("bundle", "fit_lancet_rev1 of R", (), bundle=BUNDLE)
groups = st.sampled_from([MATCHED, OF_BUNDLE, PlanGroup("error e", "no fit: " + "λ" * 90, ())])


@given(groups, figures, st.sampled_from(SizeKind), st.integers(24, 120))
def test_titles_fit_and_no_number_in_them_is_cut(
    group: PlanGroup, found: GroupFigures, kind: SizeKind, width: int
) -> None:
    title, note = fit_title(group, found, BUNDLES, kind, width)
    assert cell_len(title) + (2 + len(note) if note else 0) <= width
    number = f"! {found.warned:,}"
    assert note in ("", number, f"{number} warned") or note.endswith("with a warning")
    everything, _ = fit_title(group, found, BUNDLES, kind, 500)
    shown = [part.split()[0] for part in title.split(" · ")[1:]]
    known = {part.split()[0] for part in everything.split(" · ")[1:]}
    assert set(shown) <= known | {f"{BUNDLE.deleted:,}"}


def test_a_title_in_eighty_columns_has_all_numbers_with_fewer_words() -> None:
    found = GroupFigures(4927, 0, 0, 143, 143, 12, Size(5_200_000, 9000, 32_000_000))
    title, note = fit_title(MATCHED, found, {}, SizeKind.ON_DISK, WIDTH)
    assert title == "matched · 4,927 tasks · 143 by last attempt · 12 kept · 32.0 MB"
    assert note == "! 143"
    title, note = fit_title(MATCHED, found, {}, SizeKind.ON_DISK, 110)
    assert title.endswith("143 matched by their last attempt · 12 kept by you · 32.0 MB on disk")
    title, note = fit_title(OF_BUNDLE, found, BUNDLES, SizeKind.ON_DISK, WIDTH)
    assert title == "fit_lancet_rev1 of R · 1,380 of 1,400 go · 12 kept · 32.0 MB"
    assert note == "! 143 warned"


def test_a_long_title_gives_way_to_its_numbers() -> None:
    group = PlanGroup("error", "could not read the file of the third region, no such file", ())
    found = GroupFigures(12, warned=3, size=Size(1000, 12, 41_000))
    title, note = fit_title(group, found, {}, SizeKind.APPARENT, WIDTH)
    assert title == "could not read the file of the third region, no su… · 12 tasks · 1.0 kB"
    assert note == "! 3"


def test_the_rules_of_groups_fit_into_eighty_columns() -> None:
    rules = [text for name, text in vars(plan_tree).items() if name in RULES]
    assert len(rules) == len(RULES)
    assert all(cell_len(with_keys(text)) <= 78 for text in rules)
