"""The output of ``list`` with the inputs of tasks: CSV, JSON lines, or a data frame as R code."""

from __future__ import annotations

from collections.abc import Sequence

from hipercow_tui.analysis.failure_reason import read_inputs_with_reason
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.inputs_export.table import InputsTable, make_row
from hipercow_tui.output.inputs_export.writers import Format, json_line, lines_of, read_call
from hipercow_tui.support.streams import ProgressLine, print_message, print_output


def print_inputs(root: Root, tasks: Sequence[Task], form: Format) -> None:
    """Print tasks with their inputs, and messages on what the output does not have.

    JSON lines are printed while tasks are read. The other formats begin with all columns, which are
    known only when all tasks are read.
    """
    if form is Format.JSON:
        print_output(
            json_line(make_row(task, read_inputs_with_reason(root, task))) for task in tasks
        )
        return
    with InputsTable() as table:
        with ProgressLine("Reading inputs", len(tasks)) as progress:
            for done, task in enumerate(tasks):
                progress.show(done)
                table.add(make_row(task, read_inputs_with_reason(root, task)))
        print_output(lines_of(table, form), keep_tabs=True)
        for remark in table.remarks:
            print_message(remark)
        if form is Format.CSV and table.number_like:
            call = read_call(table, form, "FILE")
            print_message(f"some texts look like numbers; R reads them as texts with {call}")
