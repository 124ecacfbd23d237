"""A library of flood maps made beforehand, found by the station levels or reservoir releases they belong to.

A folder with ``library.json`` and one depth raster (and, where known, its low-high range) for each scenario, all on one grid. The index is
written whole after the rasters, with their checksums, so that a folder half copied is noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...common.destinations import written_whole
from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_number, parse_number
from ...common.raster import Grid
from ..bulletin.bulletin_words import fold

INDEX = "library.json"
_FORMAT, _VERSION = "quyhoach flood scenarios", 1
_KEY = re.compile(r"\s*(?P<name>[^=:;]+?)\s*[=:]\s*(?P<value>[-+]?\d[\d.,]*)\s*(?P<unit>m3/s|m³/s|cm|m)?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Scenario:
    """A flood map and what it belongs to.

    Attributes
    ----------
    id : str
        Name of its files.
    name : str
    levels_m : dict of str to float
        Level at stations, m, in the datum of each.
    releases_m3s : dict of str to float
        Releases of reservoirs.
    depth, range : str
        File names; ``range`` may be empty.
    checksums : dict of str to str
        SHA-256 of the files.
    about : dict of str to str
        Source, method, date, datum: what a person said of it.
    """

    id: str
    name: str
    levels_m: dict[str, float]
    releases_m3s: dict[str, float]
    depth: str
    range: str = ""
    checksums: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, float]:
        """Levels and releases by a name that tells them apart."""
        return {
            **{f"m {fold(k)}": v for k, v in self.levels_m.items()},
            **{f"m3s {fold(k)}": v for k, v in self.releases_m3s.items()},
        }

    def told(self) -> str:
        """Its levels and releases as text."""
        return "; ".join([*(f"{k} {format_number(v, 2)} m" for k, v in self.levels_m.items()),
                          *(f"{k} {format_number(v)} m³/s" for k, v in self.releases_m3s.items())])


@dataclass(frozen=True)
class Library:
    """A folder of scenarios; ``grid`` is None while it is empty."""

    folder: Path
    grid: Grid | None
    scenarios: list[Scenario]


def parse_keys(text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Read ``"Kim Long = 3,5 m; Hương Điền = 1200 m3/s"`` into levels (m) and releases (m3/s).

    Raises
    ------
    InputError
        Parts that cannot be read, a name told twice, nothing at all.

    Examples
    --------
    >>> parse_keys("Kim Long=3,5; Hương Điền=1.200 m3/s")
    ({'Kim Long': 3.5}, {'Hương Điền': 1200.0})
    """
    levels: dict[str, float] = {}
    releases: dict[str, float] = {}
    problems, seen = [], set()
    for part in re.split(r";|\n", text):
        if not part.strip():
            continue
        match = _KEY.match(part)
        if match is None:
            problems.append(say("\"{part}\": hãy viết như \"Kim Long = 3,5 m\" hoặc \"Hương Điền = 1200 m3/s\".",
                                "\"{part}\": write it like \"Kim Long = 3,5 m\" or \"Hương Điền = 1200 m3/s\".").format(part=part.strip()))
            continue
        unit = (match["unit"] or "m").lower().replace("³", "3")
        release = unit == "m3/s"
        try:
            number = match["value"]
            value = (
                float(number.replace(".", ""))
                if release and re.fullmatch(r"\d{1,3}(\.\d{3})+", number)
                else parse_number(number)
            )
        except InputError as error:
            problems += error.problems
            continue
        name = " ".join(match["name"].split())
        if (release, fold(name)) in seen:
            problems.append(say("\"{name}\" được nêu hai lần.", "\"{name}\" is told twice.").format(name=name))
        seen.add((release, fold(name)))
        (releases if release else levels)[name] = value * (0.01 if unit == "cm" else 1.0)
    if not problems and not seen:
        problems.append(say("Hãy cho biết mực nước tại trạm hoặc lưu lượng xả của kịch bản.", "Tell the station levels or the releases of the scenario."))
    if problems:
        raise InputError(problems)
    return levels, releases


def open_library(folder: str | Path, *, check: bool = True) -> Library:
    """Open a library; a folder without an index is an empty one.

    Raises
    ------
    InputError
        No such folder, an index of another kind or version, files missing or changed since they were put in.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(say("Không có thư mục {folder}.", "There is no folder {folder}.").format(folder=folder))
    index = folder / INDEX
    if not index.exists():
        return Library(folder, None, [])
    try:
        told = json.loads(index.read_text("utf-8"))
        if told["format"] != _FORMAT or told["version"] > _VERSION:
            raise KeyError("version")
        grid = Grid(tuple(told["grid"]["transform"]), tuple(told["grid"]["shape"]), told["grid"]["crs_wkt"])
        scenarios = [Scenario(**one) for one in told["scenarios"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(say("{path} không phải là mục lục của thư viện kịch bản ngập, hoặc do phiên bản mới hơn ghi.",
                             "{path} is no index of flood scenarios, or a newer version wrote it.").format(path=index)) from error
    library = Library(folder, grid, scenarios)
    damaged = [
        f"{s.name} ({name})"
        for s in scenarios
        for name, checksum in s.checksums.items()
        if check and _sha256(folder / name) != checksum
    ]
    if damaged:
        raise InputError(say("Kịch bản thiếu tệp hoặc tệp đã đổi từ khi nhập: {names}. Hãy chép lại thư viện hoặc nhập lại kịch bản.",
                             "Scenarios with files missing or changed since the import: {names}. Copy the library or import them again.")
                         .format(names=", ".join(damaged)))
    return library


def add_scenario(library: Library, grid: Grid, scenario: Scenario) -> Library:
    """Put a scenario whose rasters are in the folder into the index; one of the same id, or for the same levels and releases, is replaced."""
    checksums = {name: _sha256(library.folder / name) for name in (scenario.depth, scenario.range) if name}
    kept = [s for s in library.scenarios if s.id != scenario.id and s.keys != scenario.keys]
    scenarios = [*kept, Scenario(**{**asdict(scenario), "checksums": checksums})]
    told = {
        "format": _FORMAT,
        "version": _VERSION,
        "grid": {"transform": list(grid.transform), "shape": list(grid.shape), "crs_wkt": grid.crs_wkt},
        "scenarios": [asdict(s) for s in scenarios],
    }
    with written_whole(library.folder / INDEX) as part:
        part.write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    return Library(library.folder, grid, scenarios)


def refuse_same_keys(library: Library, name: str, levels: Mapping[str, float], releases: Mapping[str, float]) -> None:
    """Refuse a scenario under the levels and releases another one has: nobody could tell which of the two is meant.

    Raises
    ------
    InputError
        There is such a one of another name. One of the same name is replaced.
    """
    new = Scenario("", name, dict(levels), dict(releases), "")
    same = [one.name for one in library.scenarios if one.keys == new.keys and fold(one.name) != fold(name)]
    if same:
        raise InputError(say("Thư viện đã có kịch bản \"{other}\" với đúng {keys}; hãy dùng tên đó để thay kịch bản ấy, hoặc cho mực nước, lưu lượng khác.",
                             "The library has the scenario \"{other}\" for the same {keys}; use that name to replace it, or tell other levels or releases.")
                         .format(other=same[0], keys=new.told()))


def file_id(name: str, keys: Mapping[str, float]) -> str:
    """A file name of a scenario: its name without diacritics, and a few letters of its keys so that two of one name differ."""
    plain = re.sub(r"[^a-z0-9]+", "_", fold(name)).strip("_")[:40] or "scenario"
    return f"{plain}_{hashlib.sha256(json.dumps(sorted(keys.items())).encode()).hexdigest()[:6]}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
