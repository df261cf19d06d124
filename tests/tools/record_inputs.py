"""Record what R reads of exported inputs.

Run it by ``PYTHONPATH=tests/support python tests/tools/record_inputs.py``.
It writes the CSV file, the data frame as R code and R's output to ``tests/data/r/inputs``.
"""

from __future__ import annotations

from inputs_case import (
    RECORDED,
    calls_for,
    printing_code,
    run_r_code,
    special_rows,
    table_of,
)


def main() -> None:
    """Write the files."""
    RECORDED.mkdir(parents=True, exist_ok=True)
    with table_of(special_rows()) as table:
        code = printing_code(calls_for(RECORDED, "special", table))
    (RECORDED / "printed.txt").write_text(run_r_code(code, RECORDED), "utf-8")
    (RECORDED / "print.R").unlink()


if __name__ == "__main__":
    main()
