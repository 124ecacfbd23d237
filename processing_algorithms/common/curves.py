"""Curves of layers in QGIS, kept from what pyogrio does to the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def curves_kept() -> Iterator[None]:
    """Keep what pyogrio does to curves in a ``with`` block; around everything of it that reads.

    Reading makes GDAL give straight pieces to the whole process, so that QGIS too would lose the curves of its layers;
    and four degrees a piece, where QGIS cuts one, lose 0.1 % of a circle's area.
    """
    import pyogrio
    from osgeo import ogr

    curved, step = ogr.GetNonLinearGeometriesEnabledFlag(), pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")
    pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": "1"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": step})
        ogr.SetNonLinearGeometriesEnabledFlag(curved)
