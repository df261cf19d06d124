"""Read a bundle. One that can't be read may list any task (docs/spec.md, section 4, rule 9)."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

from hipercow_tui.domain.task import NO_FILE_STAMP, Bundle, Lang
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.r_layout import Stamp
from hipercow_tui.formats.safe_open import read_file, read_link_target

BUNDLE_LIMIT = 256 << 20  # bytes of a bundle or of ``retry``: several million lines


def read_bundle(
    name: str,
    path: str,
    lang: Lang,
    *,
    dir_fd: int | None = None,
    changed: float = 0.0,
    stamp: Stamp = NO_FILE_STAMP,
) -> Bundle:
    """Read a bundle from a regular file, relative to ``dir_fd`` if that is given.

    ``changed`` and ``stamp`` are copied to the bundle. Raises OSError, also if the content is not
    that of a bundle.
    """
    return _parse(read_file(path, limit=BUNDLE_LIMIT, dir_fd=dir_fd), name, lang, changed, stamp)


def read_linked_bundle(
    name: str, hipercow: Path, lang: Lang, *, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """Read a bundle that is a symbolic link in ``hipercow/bundles``.

    Raises OSError as ``read_bundle`` does, and if the target is outside ``hipercow/``.
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
