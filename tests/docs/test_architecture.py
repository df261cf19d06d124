"""docs/architecture.md agrees with the code: the drawing of packages, the named modules and names.

The layers are tested here, and not by import-linter: the drawing is the contract.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "hipercow_tui"
ARCHITECTURE = (PACKAGE / "docs" / "architecture.md").read_text("utf-8")
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def drawing() -> str:
    found = re.search(r"<!-- packages -->\n(.*?)<!-- /packages -->", ARCHITECTURE, re.DOTALL)
    assert found is not None
    return found[1]


def rows() -> list[list[set[str]]]:
    """The packages in each box of the drawing, row by row from the top."""
    found = [re.findall(r"│ ([a-z_ ]+): [^│◄]*[│◄]", line) for line in drawing().splitlines()]
    return [[set(names.split()) for names in boxes] for boxes in found if boxes]


def package_of(module: str) -> str:
    return module.split(".")[0]


def test_the_drawing_comes_first_and_has_at_most_twelve_boxes() -> None:
    assert ARCHITECTURE.startswith("# Architecture\n\n<!-- packages -->\n")
    assert len(rows()) > 5
    assert drawing().count("┌") <= 12


def test_the_drawing_names_every_package_once() -> None:
    named = [name for boxes in rows() for box in boxes for name in box]
    assert sorted(named) == sorted({package_of(module) for module in MODULES})


def test_a_package_imports_only_packages_in_lower_rows() -> None:
    row = {name: number for number, boxes in enumerate(rows()) for box in boxes for name in box}
    box = {name: names for boxes in rows() for names in boxes for name in names}
    for module, path in MODULES.items():
        package = package_of(module)
        for other in map(package_of, imported(path.read_text("utf-8"))):
            # The version, in __init__, is for every package.
            below = row[other] > row[package] or other in box[package] or other == "__init__"
            assert below, f"{module} imports {other}, which is not below {package}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports in functions and imports for annotations count too."""
    graph = {
        module: {other for other in imported(path.read_text("utf-8")) if other != module}
        for module, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"import circle: {' -> '.join(error.args[1])}") from None


def imported(source: str) -> Iterator[str]:
    """Yield the modules of this package that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, _, module = node.module.partition(".")
            if package == "hipercow_tui":
                names = (f"{module}.{alias.name}".strip(".") for alias in node.names)
                yield from (name if name in MODULES else module or "__init__" for name in names)


def test_every_module_that_is_named_exists() -> None:
    named = set(re.findall(r"`([\w/]+)\.py`", ARCHITECTURE))
    present = {module.replace(".", "/") for module in MODULES}
    present |= {f"{name}/__init__" for name in present}
    missing = {name for name in named if name not in present}
    assert len(named) > 20
    assert not {name for name in missing if not (PACKAGE.parent / f"{name}.py").is_file()}


def test_every_name_in_a_module_exists() -> None:
    """The document writes `name` in `folder/module.py`."""
    places = re.findall(r"((?:`\w+` and )?`\w+`) in `([\w/]+\.py)`", ARCHITECTURE)
    assert len(places) > 8
    for names, module in places:
        source = (PACKAGE / module).read_text("utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(?:    )?(?:def|class) {name}\b|^{name} = ", source, re.M), name
