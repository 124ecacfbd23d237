"""Filter the tracked files into a plugin zip; with the bundled wheels unpacked under bundled/."""

from __future__ import annotations

import argparse
import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from release import address_problems, metadata_problems, zip_problems

ROOT = Path(__file__).resolve().parents[2]
#: What a user of the plugin does not need.
LEFT_OUT = ("tests/", "scripts/", ".ci/", ".gitignore", "pyproject.toml", "requirements", "docs/")
#: Fixed, so that the same sources give the same zip.
TIMESTAMP = (2026, 1, 1, 0, 0, 0)


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode("utf-8")
    names = [name for name in listed.split("\0") if name]
    return [name for name in names if not name.startswith(LEFT_OUT)]


def metadata() -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # names as they are written, as the plugin repository reads them
    read.read(ROOT / "metadata.txt", encoding="utf-8")
    return read["general"]


def refuse_if(problems: list[str]) -> None:
    if problems:
        raise SystemExit("This is no release yet:\n" + "\n".join(problems))


def wheels() -> list[Path]:
    """Download the bundled wheels once into build/wheels; the index is the one pip is set up with."""
    requirements = ROOT / "scripts" / "packaging" / "bundled.txt"
    folder = ROOT / "build" / "wheels"
    stamp = folder / "bundled.txt"
    if not stamp.exists() or stamp.read_bytes() != requirements.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--only-binary", ":all:", "-d", str(folder), "-r", str(requirements)], check=True)
        stamp.write_bytes(requirements.read_bytes())
    found = sorted(folder.glob("*.whl"))
    binary = [wheel.name for wheel in found if not wheel.name.endswith("-none-any.whl")]
    if binary:
        raise SystemExit(f"bundled wheels must be pure Python: {binary}")
    return found


def make_zip(target: Path, bundle: bool) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

        def add(name: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(f"quyhoach/{name}", TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)

        for name in tracked_files():
            if (ROOT / name).is_file():
                add(name, (ROOT / name).read_bytes())
        for wheel in wheels() if bundle else []:
            with zipfile.ZipFile(wheel) as packed:
                for member in sorted(packed.namelist()):
                    if not member.endswith("/") and "/tests/" not in member:
                        add(f"bundled/{member}", packed.read(member))
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", action="store_true", help="without the bundled packages")
    parser.add_argument("--output", type=Path, help="folder of the zip (default: build/)")
    parser.add_argument("--release", action="store_true", help="refuse what the plugin repository of QGIS would refuse")
    arguments = parser.parse_args()
    general = metadata()
    if arguments.release:
        refuse_if(address_problems(general) + metadata_problems(general))
    folder = arguments.output or ROOT / "build"
    suffix = "-plain" if arguments.plain else ""
    target = make_zip(folder / f"quyhoach-{general['version']}{suffix}.zip", bundle=not arguments.plain)
    if arguments.release:
        with zipfile.ZipFile(target) as archive:
            problems = zip_problems(archive, target.stat().st_size)
        if problems:
            target.unlink()
        refuse_if(problems)
    print(f"{target} ({target.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
