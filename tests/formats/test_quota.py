"""The quota of the user, as the programs ``quota`` and ``lfs`` print it.

The texts are of real file systems, with ``0`` or ``-`` for the empty columns that ``-p`` fills.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from hipercow_tui.formats import free_space, quota
from hipercow_tui.formats.free_space import FreeSpace, read_free_space
from hipercow_tui.formats.quota import Quota, parse_quota, read_quota
from hipercow_tui.support.filesystem import mount_at

KB = 1024
HOME = """\
Disk quotas for user user1 (uid 11107):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
      /dev/sda2       8   51200   61440       0       1       0       0       0
"""


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (HOME, Quota(8 * KB, 51200 * KB)),
        # of an NFS server
        (
            "j1.eol.ucar.edu:/vol/eolhomes 1763328 61865984 62914560 0 28262 4294967 4294967 0\n",
            Quota(1763328 * KB, 61865984 * KB),
        ),
        # exceeded
        (
            "/dev/mapper/vg_foo_baz-lv_home 6500004* 6000000 6500000 1349876543 41437 0 0 0\n",
            Quota(6500004 * KB, 6000000 * KB),
        ),
        # a soft limit above the hard one, which counts
        ("  /  28  2621440 2359296  0  5  0  0  0\n", Quota(28 * KB, 2359296 * KB)),
        # lfs quota -q
        (
            "        /lustre7 982177580       0 1000000000       - 443208230 0      0       -\n"
            "uid 5012 is using default file quota setting\n",
            Quota(982177580 * KB, 1000000000 * KB),
        ),
        (
            "          /fred [1041408]  5242880 6291456       -     [0]       0       0       -\n",
            Quota(1041408 * KB, 5242880 * KB),
        ),
        # a long name is on the line above
        (
            "/projects/epidemiology/sir with spaces\n"
            "                  30772*  10240   20480       2d     44*      5      10       -\n",
            Quota(30772 * KB, 10240 * KB),
        ),
        # no limit, no quota, no program of this kind
        ("/lus/lustre1/vollmerc 0 0 0 - 0 0 0 -\n", None),
        ("Disk quotas for user john (uid 1011): none\n", None),
        ("quota: Mountpoint (or device) / not found or has no quota enabled.\n", None),
        # with empty columns it is not certain which number is which
        ("      /dev/hda6      28*     10      10       2      10      10\n", None),
        ("/nfs_global    479G   5120G   7168G  0  352k   5000k  10000k  0\n", None),
        ("", None),
        ("\x00\xff 1 2 3 4 5 6 7", None),
    ],
)
def test_the_last_eight_columns_are_the_quota(output: str, found: Quota | None) -> None:
    assert parse_quota(output) == found


def test_nothing_is_left_above_the_limit() -> None:
    assert Quota(10, 15).free == 5
    assert Quota(16, 15).free == 0


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(file: Path, *lines: str) -> None:
    file.write_text("\n".join(("#!/bin/sh", "PATH=/usr/bin:/bin", *lines, "")))
    file.chmod(0o755)


def test_quota_gets_the_mount_point_and_lfs_is_used_on_lustre(programs: Path) -> None:
    assert read_quota(Path("/"), "/home", "nfs4") is None  # there is no program
    program(
        programs / "quota", f'echo $# "$@" $LC_ALL >{programs}/words', f"echo '{HOME}'", "exit 1"
    )
    program(programs / "lfs", f'echo "$@" >>{programs}/calls', "echo /l 1 0 9 - 0 0 0 -")
    assert read_quota(Path("/"), "/home of all", "nfs4") == Quota(8 * KB, 51200 * KB)
    assert (programs / "words").read_text() == "6 -u -g -w -p -f /home of all C\n"
    assert read_quota(Path("/"), "/l", "lustre") == Quota(KB, 9 * KB)
    calls = (programs / "calls").read_text().splitlines()
    assert calls == [
        "project -d /",
        f"quota -q -u {os.geteuid()} /l",
        f"quota -q -g {os.getegid()} /l",
    ]


def of_group(group: int, limit: int) -> str:
    return HOME.replace("user user1 (uid 11107)", f"group g{group} (gid {group})").replace(
        "51200   61440", f"{limit} {limit}"
    )


def test_the_group_of_new_files_can_leave_less_than_the_user_has(
    programs: Path, tmp_path: Path
) -> None:
    group = os.getegid()
    output = tmp_path / "output"
    program(programs / "quota", f"cat {output}")
    output.write_text(HOME + of_group(group + 1, 10) + of_group(group, 300))
    assert read_quota(tmp_path, "/home", "nfs4") == Quota(8 * KB, 300 * KB)
    output.write_text(HOME + of_group(group + 1, 10) + of_group(group, 70000))
    assert read_quota(tmp_path, "/home", "nfs4") == Quota(8 * KB, 51200 * KB), "the user has less"
    output.write_text("Disk quotas for user u (uid 11107): none\n" + of_group(group, 300))
    assert read_quota(tmp_path, "/home", "nfs4") == Quota(8 * KB, 300 * KB)


def test_the_project_of_a_folder_on_lustre_can_leave_the_least(
    programs: Path, tmp_path: Path
) -> None:
    program(
        programs / "lfs",
        'case "$1 $3" in',
        f'"project {tmp_path}") cat {tmp_path}/project ;;',
        '"quota -u") echo "  /lustre7 982177580 0 1000000000 - 443208230 0 0 -" ;;',
        '"quota -g") echo "  /lustre7 30 0 0 - 4 0 0 -" ;;',
        '"quota -p") echo "  /lustre7 [1041408] 5242880 6291456 - [0] 0 0 $4" ;;',
        "esac",
    )
    user, project = (Quota(982177580 * KB, 10**9 * KB), Quota(1041408 * KB, 5242880 * KB))
    (tmp_path / "project").write_text(f" 1017 P {tmp_path}\n")
    assert read_quota(tmp_path, "/lustre7", "lustre") == project
    (tmp_path / "project").write_text(f"    0 - {tmp_path}\n")
    assert read_quota(tmp_path, "/lustre7", "lustre") == user, "it is in no project"


@pytest.mark.parametrize(
    "lines",
    [
        ("echo '/h 1 2 3 0 1 0 0 0'", "sleep 60 &", "sleep 60"),  # hangs, and so does its child
        ("exit 3",),
        ("kill -9 $$",),
        ("head -c 3000 /dev/urandom",),
        ("yes '/h 1 2 3 0 1 0 0 0'",),
        ("echo '/h 99999999999999999999999999 2 3 0 1 0 0'",),
    ],
)
def test_a_program_that_hangs_fails_or_prints_garbage_is_no_quota(
    programs: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...]
) -> None:
    monkeypatch.setattr(quota, "TIME_LIMIT", 0.3)
    program(programs / "quota", *lines)
    began = time.monotonic()
    assert read_quota(Path("/"), "/home", "nfs") is None
    assert time.monotonic() - began < 5


def test_a_program_that_has_ended_and_can_not_be_killed_gives_the_quota(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(group: int, number: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refuse)
    program(programs / "quota", f"echo '{HOME}'")
    assert read_quota(Path("/"), "/home", "nfs4") == Quota(8 * KB, 51200 * KB)


def test_a_file_that_is_no_program_is_no_quota(programs: Path) -> None:
    (programs / "quota").write_bytes(b"\x7fELF damaged")
    (programs / "quota").chmod(0o755)
    assert read_quota(Path("/"), "/home", "nfs") is None


def test_less_left_of_the_quota_is_the_free_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_quota(found: Quota | None) -> None:
        monkeypatch.setattr(free_space, "read_quota", lambda *_: found)

    set_quota(None)
    whole = read_free_space(tmp_path)
    assert whole is not None and whole.free > 10_000 and not whole.quota
    set_quota(Quota(100, 2**62))
    again = read_free_space(tmp_path)
    assert again is not None and not again.quota
    set_quota(Quota(13 * 10**9, 15 * 10**9))
    left = read_free_space(tmp_path)
    assert left == FreeSpace(2 * 10**9, 15 * 10**9, whole.network, quota=True)
    assert str(left) == "quota 2 GB free of 15 GB"
    assert left.sentence == "The quota has 2 GB free of 15 GB now"
    assert left.missing(20) == 10**9


def test_the_quota_of_the_mount_of_the_root_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    number = mount_at(tmp_path).id
    mounts.write_text(
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        f"{number} 27 0:40 /vol /home\\040of\\134all rw - nfs4 server:/vol\\040a rw,vers=4.2\n"
    )
    monkeypatch.setattr(free_space, "_MOUNTS", mounts)
    read: list[tuple[str, str]] = []

    def answer(folder: Path, mount_point: str, file_system: str) -> None:
        assert folder == tmp_path
        read.append((mount_point, file_system))

    monkeypatch.setattr(free_space, "read_quota", answer)
    space = read_free_space(tmp_path)
    assert read == [("/home of\\all", "nfs4")]
    assert space is not None and space.network and str(space).startswith("share ")
