"""What the files hold: layers and the catalogue datasets they follow, written so that each run gives the same bytes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from .place import CRS, ORIGIN

CATALOGUE = Path(__file__).resolve().parents[2] / "processing_algorithms" / "provincial_database" / "catalogue"
#: Layer: catalogue dataset, fields beside those of the dataset (name, type, meaning).
LAYERS: dict[str, tuple[str | None, list[tuple[str, str, str]]]] = {
    "administrative_unit": ("administrative_unit", []),
    "hamlet": ("hamlet", [("old_commune_code", "text", "Mã xã cũ chứa thôn, tổ dân phố")]),
    "parcel": ("parcel", [("land_code_2020", "text", "Mã loại đất của thửa năm 2020")]),
    "land_use_2020": ("land_use", []),
    "land_use_2025": ("land_use", []),
    "land_use_plan": ("land_use_plan", []),
    "plan": ("plan", []),
    "zone": ("zone", []),
    "constraint_overlay": ("constraint_overlay", []),
    "parcel_override": ("parcel_override", []),
    "building": ("building", []),
    "road": ("road", []),
    "facility": ("facility", []),
    "river": ("river", []),
    "river_axis": (
        None,
        [
            ("name", "text", "Tên sông, kênh"),
            ("kind", "text", "river, stream, canal"),
            ("width_m", "real", "Bề rộng trung bình, m"),
        ],
    ),
    "dyke": (
        None,
        [
            ("name", "text", "Tên đê"),
            ("crest_level_m", "real", "Cao trình đỉnh đê thấp nhất của đoạn, hệ cao độ quốc gia, m"),
            ("from_chainage_m", "real", "Lý trình đầu, m"),
            ("to_chainage_m", "real", "Lý trình cuối, m"),
            ("note", "text", "Ghi chú"),
        ],
    ),
    "gauge": ("gauge", []),
    "flood_mark": ("flood_mark", []),
    "flood_zone": ("flood_zone", []),
    "landslide_zone": ("landslide_zone", []),
    "shelter": ("shelter", []),
    "field_report": ("field_report", []),
}
_EXTRA_GEOMETRY = {"river_axis": "LineString", "dyke": "LineString"}
_FIXED_TIME = "2026-11-01T00:00:00.000Z"


@dataclass(frozen=True)
class Field:
    """One column: its name, catalogue type and what it means."""

    name: str
    type: str
    meaning: str


def fields_of(layer: str) -> list[Field]:
    """Columns of a layer in order: `feature_id`, the catalogue's fields, the sample's own."""
    dataset, extra = LAYERS[layer]
    known = [] if dataset is None else catalogue_entry(dataset)["field"]
    return [
        Field("feature_id", "text", "UUID cố định của đối tượng"),
        *[Field(one["name"], one["type"], one["label"]["vi"]) for one in known],
        *[Field(*one) for one in extra],
    ]


@lru_cache
def catalogue_entry(dataset: str) -> dict[str, Any]:
    """The catalogue file of a dataset."""
    return tomllib.loads((CATALOGUE / f"{dataset}.toml").read_text(encoding="utf-8"))


def geometry_type(layer: str) -> str:
    """Geometry type of the layer's table."""
    dataset, _ = LAYERS[layer]
    return _EXTRA_GEOMETRY[layer] if dataset is None else catalogue_entry(dataset)["geometry"]


@dataclass(frozen=True)
class Rows:
    """Rows ready to be written: WKB in the CRS, columns in the order of the layer's fields, masks of nulls."""

    layer: str
    wkb: NDArray[np.object_]
    columns: list[NDArray[Any]]
    masks: list[NDArray[np.bool_]]

    def first(self, count: int) -> Rows:
        """Only the first rows."""
        return Rows(
            self.layer, self.wkb[:count], [one[:count] for one in self.columns], [one[:count] for one in self.masks]
        )


def encode(layer: str, frame: pd.DataFrame) -> Rows:
    """Prepare a frame in local coordinates; columns the layer has not are left out, missing fields are null."""
    moved = shapely.transform(frame["geometry"].to_numpy(), lambda xy: np.round(xy + ORIGIN, 3))
    empty = pd.Series([None] * len(frame), dtype=object)
    pairs = [_column(frame[field.name] if field.name in frame else empty, field.type) for field in fields_of(layer)]
    return Rows(
        layer,
        shapely.to_wkb(_multi(moved, geometry_type(layer))),
        [values for values, _ in pairs],
        [mask for _, mask in pairs],
    )


def join(batches: list[Rows]) -> Rows:
    """Several batches of one layer as one."""
    together = zip(*(batch.columns for batch in batches)), zip(*(batch.masks for batch in batches))
    columns, masks = ([np.concatenate(parts) for parts in group] for group in together)
    return Rows(batches[0].layer, np.concatenate([batch.wkb for batch in batches]), columns, masks)


def write_rows(path: Path, rows: Rows, *, append: bool = False, spatial_index: bool = True) -> None:
    """Write rows as a layer of a GeoPackage, or append them to it."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_TIME, "OGR_SQLITE_SYNCHRONOUS": "OFF"})
    options = (
        {}
        if append
        else {
            "layer_options": {"GEOMETRY_NAME": "geom", "FID": "fid", "SPATIAL_INDEX": "YES" if spatial_index else "NO"}
        }
    )
    pyogrio.raw.write(
        path,
        rows.wkb,
        rows.columns,
        [field.name for field in fields_of(rows.layer)],
        field_mask=rows.masks,
        layer=rows.layer,
        driver="GPKG",
        geometry_type=geometry_type(rows.layer),
        crs=CRS,
        append=append,
        encoding="UTF-8",
        **options,
    )


def _multi(shapes: NDArray[np.object_], kind: str) -> NDArray[np.object_]:
    if not kind.startswith("Multi"):
        return shapes
    single = shapely.get_type_id(shapes) < 4  # ids of the Multi types begin at 4
    make = shapely.multipolygons if kind == "MultiPolygon" else shapely.multilinestrings
    wrapped = shapes.copy()
    wrapped[single] = make(shapes[single], indices=np.arange(int(single.sum())))
    return wrapped


def _column(values: pd.Series, kind: str) -> tuple[NDArray, NDArray[np.bool_]]:
    mask = values.isna().to_numpy()
    if kind == "text":
        return np.where(mask, None, values.astype(str)).astype(object), mask
    if kind in ("integer", "real", "boolean"):
        dtype = {"integer": np.int32, "real": np.float64, "boolean": bool}[kind]
        return np.where(mask, 0, values).astype(dtype), mask
    if kind == "date":
        return np.where(mask, "1970-01-01", values).astype("datetime64[D]"), mask
    if kind == "datetime":
        return pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[ms]"), mask
    raise ValueError(f"type {kind} of the catalogue is not known to the sample town")
