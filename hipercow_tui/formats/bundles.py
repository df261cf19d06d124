"""Read the bundles of a root. A bundle that can't be read may list any task (docs/spec.md, 9)."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

from hipercow_tui.domain.task import NO_FILE_STAMP, Bundle, Lang
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.r_layout import Stamp
from hipercow_tui.formats.safe_open import read_file, read_link_target

BUNDLE_LIMIT = 256 << 20  # bytes of one bundle, or of ``retry``: several million lines


def read_bundle(
    name: str,
    path: str,
    lang: Lang,
    *,
    dir_fd: int | None = None,
    changed: float = 0.0,
    stamp: Stamp = NO_FILE_STAMP,
) -> Bundle:
    """The bundle of that name from an ordinary file.

    Raises OSError, also if its content is not that of a bundle.
    """
    return _parse(read_file(path, limit=BUNDLE_LIMIT, dir_fd=dir_fd), name, lang, changed, stamp)


def read_linked_bundle(
    name: str, hipercow: Path, lang: Lang, *, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """The bundle of that name in ``hipercow/``, which is a symbolic link, from where it leads.

    Raises OSError as ``read_bundle`` does, and if that is outside ``hipercow/``.
    """
    path = f"{hipercow}/bundles/{name}"
    link = os.readlink(path)
    raw = read_link_target(path, within=hipercow, limit=BUNDLE_LIMIT)
    return replace(_parse(raw, name, lang, changed, stamp), link=link)


def _parse(raw: bytes, name: str, lang: Lang, changed: float, stamp: Stamp) -> Bundle:
    try:
        return LAYOUTS[lang].parse_bundle(raw, name, changed, stamp)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), name) from None
