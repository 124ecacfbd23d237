"""Raster parameters to files that engines read by strips, with what a person set in QGIS: CRS and further nodata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from qgis.core import Qgis, QgsProcessingAlgorithm, QgsProcessingContext, QgsRasterLayer

from .errors import InputError
from .language import say
from .numbers_vi import format_number
from .qgis_layers import to_pyproj
from .raster import RasterReader, open_raster, require_metres

#: Metres. Floods are not as deep: such a raster is in centimetres, or has the level of the water.
_DEEPEST_FLOOD_M = 50.0


@dataclass(frozen=True)
class RasterInput:
    """A raster parameter, resolved in the main thread, to be opened in any thread.

    Attributes
    ----------
    name : str
        Of the layer, for messages.
    path : str
        What GDAL opens.
    crs_wkt : str
        Of the layer in QGIS, which may differ from what the file says; empty when neither says.
    nodata_ranges : tuple of (float, float)
        Values that mean unknown, set by hand in the layer's properties.
    notes : list of str
        Of the algorithm: what it tells at its end.
    depths : bool
        The values are depths of water: it is told when they are too large for that.
    """

    name: str
    path: str
    crs_wkt: str
    nodata_ranges: tuple[tuple[float, float], ...]
    notes: list[str] = field(default_factory=list, compare=False)
    depths: bool = False

    @contextmanager
    def open(self, band: int = 1) -> Iterator[RasterReader]:
        """Open a band; refuse what is no raster in metres with a CRS."""
        with open_raster(self.path, name=self.name, band=band, crs_wkt=self.crs_wkt,
                         nodata_ranges=self.nodata_ranges, heights=True) as reader:
            require_metres(reader, self.name)
            yield reader
            if reader.impossible:
                self.notes.append(
                    say("{name}: các ô có giá trị {values} không thể là cao độ, độ sâu tính bằng mét, được coi là không có số liệu; hãy "
                        "khai báo giá trị nodata của tệp để chắc chắn.",
                        "{name}: cells with the value {values}, no height or depth in metres, are taken as unknown; state the file's "
                        "nodata value to be sure.")
                    .format(name=self.name, values="; ".join(f"{value:.6g}".replace(".", ",") for value in sorted(reader.impossible)[:3])))
            if self.depths and reader.highest > _DEEPEST_FLOOD_M:
                self.notes.append(
                    say("{name}: sâu nhất {depth} m; hãy kiểm tra, vì kết quả sẽ sai nếu lớp này tính bằng cm hoặc là cao độ mực nước.",
                        "{name}: {depth} m at the deepest; check it, because results are wrong if the layer is in cm or holds water levels.")
                    .format(name=self.name, depth=format_number(reader.highest, 1)))


def raster_input(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext, *,
    depths: bool = False,
) -> RasterInput | None:
    """Resolve a raster parameter in `prepare`; None for an optional one left empty.

    ``depths``: see `RasterInput`.

    Raises
    ------
    InputError
        The layer cannot be read, or is no file (a web map).
    """
    definition = algorithm.parameterDefinition(key)
    layer = algorithm.parameterAsRasterLayer(parameters, key, context)
    if layer is None:
        if parameters.get(key) in (None, "") and definition.flags() & Qgis.ProcessingParameterFlag.Optional:
            return None
        raise InputError(say("Không đọc được raster {label}: {value}. Kiểm tra đường dẫn hoặc tên lớp.",
                             "The raster {label} cannot be read: {value}. Check its path or name.")
                         .format(label=definition.description(), value=parameters.get(key)))
    if layer.providerType() != "gdal":
        raise InputError(say("Lớp {layer} không phải là tệp raster trên máy này; hãy lưu nó thành tệp GeoTIFF rồi chọn "
                             "tệp đó.",
                             "Layer {layer} is no raster file on this machine; save it as a GeoTIFF and choose that "
                             "file.")
                         .format(layer=layer.name()))
    crs = to_pyproj(layer.crs())
    return RasterInput(layer.name(), layer.dataProvider().dataSourceUri().split("|option:")[0],
                       crs.to_wkt() if crs is not None else "", _nodata_ranges(layer), getattr(algorithm, "late_notes", []), depths)


def _nodata_ranges(layer: QgsRasterLayer) -> tuple[tuple[float, float], ...]:
    return tuple((one.min(), one.max()) for one in layer.dataProvider().userNoDataValues(1))
