"""Is a file on a network share? Locks of files are not to be trusted there, and SQLite needs them."""

from __future__ import annotations

import ctypes
import ntpath
import os
import re
import sys
from pathlib import Path

#: Where Linux lists what is mounted.
MOUNTS = Path("/proc/self/mounts")
_SHARES = re.compile(r"(nfs\d?|cifs|smb\d?|smbfs|ncpfs?|afs|9p|davfs\d?|ceph|glusterfs|lustre|fuse\.(sshfs|davfs\d?|rclone|glusterfs|gvfsd-fuse|smbnetfs|s3fs))$")
_WINDOWS_REMOTE = 4  # DRIVE_REMOTE of GetDriveType


def on_network_share(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path, of a file that may not be there yet, lies on another machine; False where nobody can tell."""
    if sys.platform == "win32":
        drive = ntpath.splitdrive(os.path.abspath(path))[0]
        return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _WINDOWS_REMOTE
    try:
        listed = MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(_SHARES.match(_file_system(os.path.realpath(path), listed)))


def _file_system(path: str, mounts: str) -> str:
    """Return the kind of file system a path is on, by a list of mounts.

    Examples
    --------
    >>> _file_system("/mnt/so xd/tinh.gpkg", "/dev/sda1 / ext4 rw 0 0\\n//may/so /mnt/so\\\\040xd cifs rw 0 0\\n")
    'cifs'
    """
    found, deepest = "", ""
    for line in mounts.splitlines():
        _, place, kind = (line.split(" ") + ["", ""])[:3]
        place = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), place)
        if (path == place or path.startswith(place.rstrip("/") + "/")) and len(place) >= len(deepest):
            found, deepest = kind, place
    return found
