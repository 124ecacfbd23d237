"""A prepared terrain on disk: a folder of rasters, the streams, and ``model.json`` with what they were made from.

The card (``model.json``) is written last and holds the checksum of every file, so that a folder half copied, or a file
changed since, is noticed before a flood is computed from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.errors import InputError, OutputError
from ...common.files import write_vector
from ...common.language import say
from ...common.parallel import run_blocks
from ...common.progress import Progress, silent
from ...common.raster_writing import NODATA, write_raster
from .d8 import OUTSIDE, STEPS
from .terrain_prepare import Drainage

CARD = "model.json"
STREAMS = "streams.gpkg"
ABOVE, GROUND_ABOVE = "height_above_drainage.tif", "ground_above_drainage.tif"
REACH, CHAINAGE = "reach_id.tif", "drainage_chainage.tif"
FILES = ("conditioned.tif", "flow_direction.tif", "flow_accumulation.tif", ABOVE, GROUND_ABOVE, REACH, CHAINAGE,
         "basins.tif", STREAMS)
_FORMAT, _VERSION = "quyhoach terrain model", 1


@dataclass(frozen=True)
class TerrainModel:
    """A model that was read: its folder and its card."""

    folder: Path
    card: dict[str, Any]

    def path(self, name: str) -> Path:
        """Path of one of its files."""
        return self.folder / name


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Refuse, before any work, a folder that cannot be written, or that holds files of these names that are not ours.

    Raises
    ------
    OutputError
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(say("{path} là một tệp; hãy chọn một thư mục.", "{path} is a file; choose a folder.")
                          .format(path=folder))
    parent = folder if folder.is_dir() else folder.parent
    if not parent.is_dir():
        raise OutputError(say("Không có thư mục {folder}; hãy tạo thư mục hoặc chọn nơi khác để ghi kết quả.",
                              "There is no folder {folder}; create it or choose another place for the result.")
                          .format(folder=parent))
    taken = [name for name in FILES if (folder / name).exists()]
    if taken and not (folder / CARD).exists():
        raise OutputError(say("Thư mục {folder} đã có tệp {names} không thuộc mô hình địa hình nào; hãy chọn thư mục "
                              "khác.",
                              "The folder {folder} has files {names} that belong to no terrain model; choose another "
                              "folder.")
                          .format(folder=folder, names=", ".join(taken)))
    try:
        with tempfile.TemporaryDirectory(prefix=".quyhoach-", dir=parent):
            pass
    except OSError as error:
        raise OutputError(say("Không ghi được vào thư mục {folder} ({why}); hãy chọn nơi khác.",
                              "The folder {folder} cannot be written ({why}); choose another place.")
                          .format(folder=parent, why=error.strerror)) from error


@contextmanager
def _put_in_place(folder: Path) -> Iterator[Path]:
    """Give a folder to write to; move its files to ``folder`` when the block ends well, the card last."""
    created = not folder.exists()
    folder.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".quyhoach-", dir=folder))
    try:
        yield draft
        # Without its card a folder is no model: one that could only be replaced in part is refused, not believed.
        (folder / CARD).unlink(missing_ok=True)
        for name in (*FILES, CARD):
            os.replace(draft / name, folder / name)
            (folder / f"{name}.aux.xml").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(say("Không ghi được vào {path} ({why}); hãy đóng chương trình đang mở các tệp trong đó.",
                              "{path} cannot be written ({why}); close the program that has its files open.")
                          .format(path=folder, why=error.strerror or error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if created and not any(folder.iterdir()):
            folder.rmdir()


def write_model(
    found: Drainage, folder: str | os.PathLike[str], card: dict[str, Any], progress: Progress = silent
) -> TerrainModel:
    """Write all files of a model and its card.

    Parameters
    ----------
    found : Drainage
    folder : path
        Is made when it does not exist; a model in it is replaced.
    card : dict
        What the terrain was and how it was conditioned; grid and checksums are added.

    Raises
    ------
    OutputError
    """
    folder = Path(folder)
    with _put_in_place(folder) as draft:
        sums: dict[str, str] = {}
        streams = _write_files(found, draft, sums, progress)
        card = {"format": _FORMAT, "version": _VERSION, **card,
                "grid": {"rows": found.grid.shape[0], "columns": found.grid.shape[1],
                         "transform": list(found.grid.transform), "crs_wkt": found.grid.crs_wkt},
                "found": {"reaches": len(found.reaches), "basins": int(found.reaches.basin.max()),
                          "stream_km": round(float(streams["length_m"].sum()) / 1000, 3),
                          "depressions": found.floors, "cut_cells": found.cut_cells, "filled_cells": found.filled_cells,
                          "cells_without_stream": found.without_stream},
                "files": {name: {"bytes": (draft / name).stat().st_size, "sha256": sums[name]}
                          for name in FILES}}
        (draft / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
        progress(1.0)  # the last moment to stop: leaving the block puts the files in place
    return TerrainModel(folder, card)


def _write_files(found: Drainage, draft: Path, sums: dict[str, str], progress: Progress) -> geopandas.GeoDataFrame:
    """Write streams and rasters, several at once, and take their checksums; return the streams."""
    streams = stream_lines(found)
    rivers = found.reaches
    # -1, no stream, is the last element.
    number = np.append(rivers.number(), np.int32(0))
    basin = np.append(np.repeat(rivers.basin, np.diff(rivers.start)), np.int32(0))
    chainage = np.append(rivers.chainage.astype(np.float32), np.float32(np.nan))
    plans = (
        ("conditioned.tif", found.conditioned, None, say("Cao độ đã xử lý dòng chảy", "Conditioned height"), "m"),
        ("flow_direction.tif", found.direction, None, say("Hướng chảy D8 (mã ESRI)", "D8 flow direction (ESRI codes)"), ""),
        ("flow_accumulation.tif", found.area_km2, None, say("Diện tích lưu vực", "Drained area"), "km2"),
        (ABOVE, found.above_drainage, None, say("Độ cao trên dòng chảy gần nhất", "Height above nearest drainage"), "m"),
        (GROUND_ABOVE, found.ground_above_drainage, None,
         say("Mặt đất so với dòng chảy gần nhất", "Ground above nearest drainage"), "m"),
        (REACH, found.drain, number, say("Mã đoạn sông thu nước", "Draining reach"), ""),
        (CHAINAGE, found.drain, chainage, say("Khoảng cách dọc sông đến cửa ra", "Distance along the streams to the outlet"),
         "m"),
        ("basins.tif", found.drain, basin, say("Mã lưu vực", "River basin"), ""),
    )

    def write(first: int, last: int) -> None:
        if first == 0:
            write_vector(streams, draft / STREAMS, geometry_type="LineString Z", layer="streams")
            sums[STREAMS] = sha256(draft / STREAMS)
            return
        name, array, looked_up, description, unit = plans[first - 1]
        kind = (array if looked_up is None else looked_up).dtype.name
        nodata = {"float32": NODATA, "uint8": float(OUTSIDE), "int32": 0.0}[kind]
        with write_raster(draft / name, found.grid, description=description, unit=unit, kind=kind, nodata=nodata,
                          internal=True, smooth=unit == "m" and looked_up is None) as writer:
            for window in found.grid.strips():
                values = array[window.row:window.row + window.rows]
                writer.write(window, values if looked_up is None else looked_up[values])
        sums[name] = sha256(draft / name)

    # The files compress on all cores, but what lies between does not: two at once fill the gaps.
    run_blocks(write, np.arange(len(plans) + 1), 1, progress)
    return streams


def stream_lines(found: Drainage) -> geopandas.GeoDataFrame:
    """One line for each reach, downstream, through the centres of its cells to the first of the next reach.

    Z is the height of the bed. The last reach goes half a cell further, to where water leaves the raster.
    """
    rivers, width = found.reaches, found.grid.shape[1] + 2
    count = np.diff(rivers.start)
    row, column = np.divmod(rivers.cells, width)
    row, column = row - 0.5, column - 0.5  # centres, in the grid without border
    last = rivers.start[1:] - 1
    next_first = rivers.start[np.maximum(rivers.downstream, 1) - 1]
    leaving = rivers.downstream == 0
    out_row, out_column = _half_a_step_out(found, rivers.cells[last[leaving]])
    end_row, end_column = row[next_first].copy(), column[next_first].copy()
    end_row[leaving], end_column[leaving] = row[last[leaving]] + out_row, column[last[leaving]] + out_column
    owner = np.repeat(np.arange(len(rivers)), count)
    owner, row, column = (np.concatenate(both) for both in (
        (owner, np.arange(len(rivers))), (row, end_row), (column, end_column)))
    order = np.argsort(owner, kind="stable")
    x, y = found.grid.to_map(column[order], row[order])
    beds = np.concatenate([found.bed_m, np.where(leaving, found.bed_m[last], found.bed_m[next_first])])
    shapes = shapely.linestrings(np.column_stack([x, y, beds[order]]), indices=owner[order])
    first_chain, last_chain = rivers.chainage[rivers.start[:-1]], rivers.chainage[last]
    end_chain = np.where(leaving, last_chain, rivers.chainage[next_first])
    area = found.area_km2[rivers.cells[last] // width - 1, rivers.cells[last] % width - 1]
    return geopandas.GeoDataFrame(
        {"reach_id": np.arange(1, len(rivers) + 1, dtype=np.int32), "downstream_id": rivers.downstream,
         "basin_id": rivers.basin, "strahler": rivers.order, "length_m": first_chain - end_chain,
         "chainage_start_m": first_chain, "chainage_end_m": end_chain, "area_km2": area.astype(np.float64),
         "bed_start_m": found.bed_m[rivers.start[:-1]].astype(np.float64),
         "bed_end_m": found.bed_m[last].astype(np.float64)},
        geometry=shapes, crs=found.grid.crs_wkt)


def _half_a_step_out(found: Drainage, cells: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each outlet half a step towards a neighbour that is outside, over a side where there is one."""
    width = found.grid.shape[1] + 2
    rows, columns = found.grid.shape
    row, column = cells // width - 1, cells % width - 1
    out = np.zeros((2, len(cells)))
    for r, c in (*STEPS[1::2], *STEPS[::2]):
        to_row, to_column = row + r, column + c
        beyond = (to_row < 0) | (to_row >= rows) | (to_column < 0) | (to_column >= columns)
        beyond |= found.direction[np.clip(to_row, 0, rows - 1), np.clip(to_column, 0, columns - 1)] == OUTSIDE
        out[:, beyond] = np.array([[r], [c]]) / 2
    return out[0], out[1]


def read_model(folder: str | os.PathLike[str], needed: Iterable[str] = FILES) -> TerrainModel:
    """Read the card of a model and check the files that are needed.

    Parameters
    ----------
    folder : path
        Of the model, or its card.
    needed : iterable of str
        Names out of `FILES`.

    Raises
    ------
    InputError
        No model, one of another version, a file that is missing or has changed.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == CARD else folder
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        known = card["format"] == _FORMAT and card["version"] == _VERSION
        sums = {name: card["files"][name]["sha256"] for name in needed} if known else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            say("{folder} không phải là mô hình địa hình (không đọc được {card}); hãy chọn thư mục kết quả của \"Chuẩn bị "
                "mô hình số độ cao\".",
                "{folder} is no terrain model ({card} cannot be read); choose the folder that \"Prepare the terrain\" "
                "wrote.").format(folder=folder, card=CARD)) from error
    if not known:
        raise InputError(say("Mô hình địa hình {folder} do phiên bản khác tạo ra; hãy chuẩn bị lại địa hình.",
                             "The terrain model {folder} was made by another version; prepare the terrain again.")
                         .format(folder=folder))
    changed = [name for name, expected in sums.items()
               if not (folder / name).is_file() or sha256(folder / name) != expected]
    if changed:
        raise InputError(say("Mô hình địa hình {folder}: tệp {names} bị thiếu hoặc đã thay đổi từ khi chuẩn bị; hãy chuẩn "
                             "bị lại địa hình.",
                             "Terrain model {folder}: the files {names} are missing or have changed since they were "
                             "prepared; prepare the terrain again.")
                         .format(folder=folder, names=", ".join(changed)))
    return TerrainModel(folder, card)


def source_changed(model: TerrainModel) -> bool:
    """Tell whether the terrain file the model was made from is there and is another one now."""
    source = model.card["terrain"]
    path = Path(source["path"])
    if not source["sha256"] or not path.is_file():
        return False
    return path.stat().st_size != source["bytes"] or sha256(path) != source["sha256"]


def sha256(path: str | os.PathLike[str]) -> str:
    """Checksum of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
