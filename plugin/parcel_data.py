"""What the parcel desk asks about, and the layers around it, handed to the engine in a thread."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpression,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_layers import LayerInput, part_of_layer, to_pyproj
from .dataset_layers import DatasetLayers, label_of
from .parcel_search import Commune
from .tasks import Job


@dataclass(frozen=True)
class Land:
    """The land asked about: a parcel of a layer, or pasted corners; the shape is in ``crs``."""

    shape: QgsGeometry
    crs: QgsCoordinateReferenceSystem
    layer: QgsVectorLayer | None
    fid: int | None
    feature_id: str
    number: Mapping[str, Any]
    corners: Any = None
    note: str = ""


def parcel_land(layer: QgsVectorLayer, parcel: QgsFeature, note: str = "") -> Land:
    """Return the land of a parcel."""
    identity = str(parcel["feature_id"]) if parcel.fields().lookupField("feature_id") >= 0 else ""
    number = {
        name: parcel[name]
        for name in ("sheet_no", "parcel_no")
        if parcel.fields().lookupField(name) >= 0 and parcel[name] != NULL
    }
    return Land(QgsGeometry(parcel.geometry()), layer.crs(), layer, parcel.id(), identity, number if len(number) == 2 else {}, note=note)


def corners_land(corners: Any, zones: QgsVectorLayer) -> Land:
    """Return the land of pasted corners, in the system of the zones."""
    shape = QgsGeometry()
    shape.fromWkb(corners.polygon(to_pyproj(zones.crs())).wkb)
    return Land(shape, zones.crs(), None, None, "", {}, corners, "<br>".join(corners.notes))


def window_around(land: Land, layer: QgsVectorLayer, metres: float) -> tuple[float, float, float, float]:
    """Return the window around land in the system of a layer."""
    box = QgsRectangle(land.shape.boundingBox())
    box.grow(metres)
    moved = QgsCoordinateTransform(land.crs, layer.crs(), QgsProject.instance()).transformBoundingBox(box)
    return moved.xMinimum(), moved.yMinimum(), moved.xMaximum(), moved.yMaximum()


def brief_job(land: Land, layers: DatasetLayers, communes: Sequence[Commune], day: datetime.date) -> Job:
    """Return the job that reads what lies around and answers; call it in the main thread.

    Raises
    ------
    InputError
        Layers that are needed are not there.
    """
    from ..processing_algorithms.zoning.plans.parcel_brief import AROUND_M

    missing = [label_of(name) for name in ("plan", "zone") if layers.layer(name) is None]
    if missing:
        raise InputError(
            say(
                'Chưa có lớp: {names}. Bấm "Nguồn dữ liệu" để chọn.', 'Missing layers: {names}. Press "Data" to choose.'
            ).format(names=", ".join(missing))
        )
    read: dict[str, LayerInput | None] = {}
    for name in ("zone", "constraint_overlay", "parcel_override", "building", "road"):
        layer = layers.layer(name)
        read[name] = (
            None
            if layer is None
            else part_of_layer(layer, window_around(land, layer, AROUND_M) if layer.isSpatial() else None)
        )
    zones, overrides = layers.layer("zone"), layers.layer("parcel_override")
    # Land outside all zones has an answer too, and the engine wants to see what a zone is.
    read["any_zone"] = part_of_layer(zones, limit=1)
    if overrides is not None and land.number and {"parcel_no", "sheet_no"} <= set(overrides.fields().names()):
        read["numbered_override"] = part_of_layer(overrides, expression=" AND ".join(
            f"{QgsExpression.quotedColumnRef(name)} = {QgsExpression.quotedValue(value)}" for name, value in land.number.items()))
    # Which plan answers hangs together with all of them; they are few.
    read["plan"] = part_of_layer(layers.layer("plan"))
    parcel = None
    if land.layer is not None:
        parcel = part_of_layer(land.layer, window_around(land, land.layer, 0.0))
    names = {one.code: one.name for one in communes}
    return lambda progress: _brief(land, parcel, read, names, day)


def _brief(
    land: Land,
    parcel: LayerInput | None,
    read: Mapping[str, LayerInput | None],
    communes: Mapping[str, str],
    day: datetime.date,
) -> Any:
    import pandas

    from ..processing_algorithms.zoning.paper.paper_inputs import PARCEL_FIELDS
    from ..processing_algorithms.zoning.paper.parcel_certificate import parcel_of_corners
    from ..processing_algorithms.zoning.plans.parcel_brief import parcel_brief
    from ..processing_algorithms.zoning.plans.plan_sources import PlanSources

    frames = {name: None if layer is None else layer.read() for name, layer in read.items()}
    if parcel is None:
        asked = parcel_of_corners(land.corners, to_pyproj(land.crs))
    else:
        known = [name for name in (*PARCEL_FIELDS, "map_scale") if name in parcel.columns()]
        asked = parcel.read(known)
        asked = asked[asked.index == land.fid]
        if not len(asked):
            raise InputError(
                say(
                    "Thửa đất này vừa bị xóa khỏi lớp; hãy chọn lại.",
                    "This parcel has just gone from the layer; choose again.",
                )
            )
    zones = frames["zone"] if len(frames["zone"]) else frames["any_zone"]
    overrides = frames["parcel_override"]
    if frames.get("numbered_override") is not None:
        both = pandas.concat([overrides, frames["numbered_override"]])
        overrides = both[~both.index.duplicated()]
    sources = PlanSources(frames["plan"], zones, _some(frames["constraint_overlay"]), _some(overrides), None, communes)
    return parcel_brief(asked, sources, date=day, buildings=frames["building"], roads=_some(frames["road"]), by_corners=land.corners is not None)


def _some(frame: Any) -> Any:
    return frame if frame is not None and len(frame) else None
