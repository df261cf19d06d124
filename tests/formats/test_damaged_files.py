"""Files of every format, damaged at random: a value or an error of ours."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice

import pytest
from bench.formats import FORMATS, open_reader
from bench.mutants import mutants


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_as_something_or_refused(name: str) -> None:
    """The benchmark does the same with 105,000 (``--only fuzz``)."""
    number = 3000 if name == "RDS" else 500
    with ExitStack() as stack:
        read, originals = open_reader(FORMATS[name], stack), FORMATS[name].originals()
        files = mutants(7, originals, text=FORMATS[name].is_text)
        assert 0 < sum(map(read, islice(files, number))) <= number


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.is_text])
def test_the_originals_are_read(name: str) -> None:
    with ExitStack() as stack:
        read = open_reader(FORMATS[name], stack)
        assert all(map(read, FORMATS[name].originals()))
