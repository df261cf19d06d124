from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import IDS, snapshots

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleRowBuilder, BundleSort, sort_rows
from hipercow_tui.analysis.disk_usage import DiskUsage, MeasuredSize, ids_to_measure, sum_usage
from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.analysis.task_view import make_view
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import Size

measures = st.dictionaries(
    st.sampled_from(IDS),
    st.builds(
        MeasuredSize,
        st.builds(Size, st.integers(0, 5), st.integers(0, 5)),
        st.sampled_from([0, 1]),
    ),
)


def test_measurement_of_a_finished_task_is_current_until_its_files_change() -> None:
    one = MeasuredSize(Size(5, 1), files_mask=3)
    task = Task(IDS[0], Status.SUCCESS, files_mask=3)
    assert one.is_current(task)
    assert not one.is_current(task._replace(files_mask=7))
    for status in (Status.SUBMITTED, Status.RUNNING, Status.BROKEN):
        assert not one.is_current(task._replace(status=status))


@settings(max_examples=100, deadline=None)
@given(snapshot=snapshots(), known=measures)
def test_only_tasks_without_a_measurement_are_measured_and_sums_add_up(
    snapshot: Snapshot, known: dict[str, MeasuredSize]
) -> None:
    tasks = list(snapshot.tasks.values())
    again = ids_to_measure(tasks, known)
    assert [t for t in tasks if t not in again] == [
        t for t in tasks if t.id in known and known[t.id].is_current(t)
    ]
    found = [known[task.id].size for task in tasks if task.id in known]
    assert sum_usage(tasks, known) == DiskUsage(
        Size(sum(one.bytes for one in found), sum(one.files for one in found)),
        len(found),
        len(tasks),
    )
    assert sum_usage(tasks, known).complete == (len(found) == len(tasks))


@given(snapshot=snapshots(), known=measures, key=st.sampled_from([SortKey.SIZE, SortKey.FILES]))
def test_the_largest_come_first_and_the_unmeasured_last(
    snapshot: Snapshot, known: dict[str, MeasuredSize], key: SortKey
) -> None:
    sort = TaskSort().toggled(key)
    ids = make_view(snapshot, FilterStack(), sort, sizes=known).ids

    def held(task_id: str) -> int:
        if task_id not in known:
            return -1
        size = known[task_id].size
        return size.bytes if key is SortKey.SIZE else size.files

    assert [held(i) for i in ids] == sorted(map(held, snapshot.tasks), reverse=True)


@settings(max_examples=100, deadline=None)
@given(snapshot=snapshots(), known=measures)
def test_bundle_size_is_the_sum_of_its_tasks(
    snapshot: Snapshot, known: dict[str, MeasuredSize]
) -> None:
    sort = BundleSort().toggled(BundleKey.SIZE)
    lines = sort_rows(BundleRowBuilder().build(snapshot, known), sort)
    held = [line.disk_usage.size.bytes for line in lines]
    assert held == sorted(held, reverse=True)
    members = {b.name: list(snapshot.existing(b.task_ids)) for b in snapshot.bundles}
    assert all(line.disk_usage == sum_usage(members[line.name], known) for line in lines)
