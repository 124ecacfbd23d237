"""What the plugin repository of QGIS refuses, told before anyone uploads.

Its own rules (validator of plugins.qgis.org): the fields below are there, the addresses are web pages that answer, no
folder or file of a build is in the zip, a LICENSE is. Whether a page answers is seen by whoever uploads; that an address is
nobody's is seen here.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from urllib.parse import urlparse

#: Required by the repository, and asked for by it in the description of a plugin.
FIELDS = ("name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository", "homepage", "license", "icon", "tags",
          "category", "changelog")
ADDRESSES = ("tracker", "repository", "homepage")
#: The repository's own limit, bytes.
LARGEST = 25_000_000
#: Names that RFC 2606 and RFC 6761 keep free: nobody can be reached there.
_NOBODYS = re.compile(r"(^|\.)(invalid|test|example|localhost|local|example\.(com|net|org))$")
_EMAIL = re.compile(r"[^@\s]+@([^@\s]+\.[^@\s.]+)")
_REFUSED_PARTS = {".git", "__pycache__", "__MACOSX"}


def address_problems(general: Mapping[str, str]) -> list[str]:
    """Return one sentence for each address that is not yet somebody's."""
    problems = []
    for field in ADDRESSES:
        parts = urlparse(general.get(field, ""))
        if parts.scheme not in ("http", "https") or not parts.hostname or _NOBODYS.search(parts.hostname):
            problems.append(f"metadata.txt: {field}={general.get(field, '')} is no page of the publisher's; set it.")
    email = _EMAIL.fullmatch(general.get("email", ""))
    if email is None or _NOBODYS.search(email.group(1)):
        problems.append(f"metadata.txt: email={general.get('email', '')} is nobody's address; set it.")
    return problems


def metadata_problems(general: Mapping[str, str]) -> list[str]:
    """Return one sentence for each field the repository would refuse, addresses aside."""
    problems = [f"metadata.txt: {field} is missing." for field in FIELDS if not general.get(field, "").strip()]
    problems += [f"metadata.txt: {field} has a %, which the repository's reader takes for a reference." for field, text in general.items() if "%" in text]
    version = general.get("version", "")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version) or version not in general.get("changelog", ""):
        problems.append(f"metadata.txt: version {version} is not of the form 1.2.3, or the changelog does not speak of it.")
    if "/" in general.get("author", ""):
        problems.append("metadata.txt: author has a slash.")
    return problems


def zip_problems(archive: zipfile.ZipFile, size: int) -> list[str]:
    """Return one sentence for each thing in the zip that the repository would refuse."""
    names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    problems = [f"The zip has {len(folders)} folders at its root: {sorted(folders)}."] if len(folders) != 1 else []
    folder = names[0].split("/")[0]
    problems += [f"The zip lacks {name}." for name in ("__init__.py", "metadata.txt", "LICENSE") if f"{folder}/{name}" not in names]
    problems += [f"The zip holds {name}." for name in names if ".." in name or name.startswith("/") or ".pyc" in name
                 or _REFUSED_PARTS & set(name.split("/"))]
    if not folder.isidentifier() or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", folder):
        problems.append(f"The folder {folder} is no name of a Python package.")
    if size > LARGEST:
        problems.append(f"The zip has {size:,} bytes; the repository takes {LARGEST:,}.")
    return problems
