"""Checks a dossier: reads it, runs every rule, and tells what was found and what could not be judged."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ...common.progress import Progress, part, silent
from .check_classes import check_classes, check_fields
from .check_codes import Identity, check_codes, identity
from .check_coverage import check_coverage
from .check_figures import check_figures, check_scale
from .check_files import check_files
from .check_shapes import check_shapes, check_systems
from .check_values import check_values
from .create import province_crs
from .examined import CheckOptions, Examined
from .reading import Dossier, read_dossier
from .rules import RULES, Finding, Severity
from .schema import BOUNDARY, OBJECT_NAME, DossierSchema, load_schema


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes
    ----------
    findings : list of Finding
        Errors first, then by rule.
    unassessed : list of str
        What could not be judged and why, as sentences.
    features : mapping of (database, class) to int
        Of the classes found.
    """

    folder: Path
    schema: DossierSchema
    options: CheckOptions
    who: Identity
    plan_name: str
    findings: list[Finding]
    unassessed: list[str]
    features: dict[tuple[str, str], int]
    crs: pyproj.CRS | None

    @property
    def passes(self) -> bool:
        """No errors; warnings and notes may remain."""
        return not self.count(Severity.ERROR)

    def count(self, severity: Severity) -> int:
        """Count features and places with findings of one severity."""
        return sum(finding.count for finding in self.findings if finding.rule.severity is severity)

    def by_rule(self) -> Counter[str]:
        """Count features and places by rule id, in the order of the rules."""
        counts = Counter(dict.fromkeys(RULES, 0))
        for finding in self.findings:
            counts[finding.rule.id] += finding.count
        return +counts


def check_dossier(
    folder: str | os.PathLike[str], options: CheckOptions, *, schema: DossierSchema | None = None,
    progress: Progress = silent,
) -> CheckResult:
    """Check a dossier.

    Parameters
    ----------
    folder : path
        *HoSoGIS*, or the folder that holds it.
    options : CheckOptions
    schema : DossierSchema, optional
        The standard of the day of the check by default.
    progress : Progress

    Raises
    ------
    InputError
        There is no dossier at that place. A dossier that is there but broken is no error: it has findings.

    Examples
    --------
    >>> result = check_dossier("HoSoGIS", CheckOptions(on=datetime.date(2026, 11, 25)))      # doctest: +SKIP
    >>> result.passes, result.by_rule()                                                     # doctest: +SKIP
    (False, Counter({'PV-01': 3, 'GT-01': 1}))
    """
    schema = schema or load_schema(options.on, options.province_folder)
    return check_read(read_dossier(folder, progress=part(progress, 0.0, 0.4)), options, schema,
                      part(progress, 0.4, 1.0))


def check_read(
    dossier: Dossier, options: CheckOptions, schema: DossierSchema, progress: Progress = silent
) -> CheckResult:
    """Check a dossier that has been read; see `check_dossier`."""
    examined = Examined(dossier, schema, options)
    findings = list(check_files(examined))
    findings += check_classes(examined)
    findings += check_fields(examined)
    progress(0.1)
    findings += check_codes(examined)
    findings += check_values(examined)
    progress(0.25)
    findings += check_systems(examined)
    findings += check_shapes(examined)
    progress(0.4)
    findings += check_coverage(examined, part(progress, 0.4, 0.95))
    findings += check_scale(examined)
    findings += check_figures(examined)
    order = {rule: position for position, rule in enumerate(RULES)}
    findings.sort(key=lambda finding: (finding.rule.severity, order[finding.rule.id]))
    boundary = examined.get("QuyHoach", BOUNDARY)
    who = identity(examined)
    crs = next((found.layer.crs for found in examined.classes.values() if found.layer.crs is not None), None)
    if who.province in schema.provinces:
        crs = province_crs(schema, who.province)
    progress(1.0)
    return CheckResult(
        folder=dossier.folder, schema=schema, options=options, who=who, findings=findings,
        unassessed=examined.unassessed,
        plan_name=next(filter(None, boundary.text(OBJECT_NAME)), "") if boundary is not None else "",
        features={key: len(found.frame) for key, found in examined.classes.items()}, crs=crs)


#: Columns of the error layer.
COLUMNS = ("rule", "severity", "database", "class", "source_fid", "message", "advice")


def error_layers(result: CheckResult) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
    """Return the findings as points, one per feature or place, and those that have an extent as areas.

    Findings on files, classes and fields have no place: rows without geometry.

    Returns
    -------
    points, areas : GeoDataFrame
        Columns `COLUMNS`; system of the dossier. Areas: gaps, overlaps, what lies outside.
    """
    rows: list[tuple[object, ...]] = []
    shapes: list[shapely.Geometry | None] = []
    for finding in result.findings:
        for position in range(finding.count):
            fid = finding.fids[position] if position < len(finding.fids) else None
            rows.append((finding.rule.id, finding.rule.severity.label, finding.database, finding.class_name,
                         None if fid is None else str(fid), finding.message, finding.rule.advice))
            shapes.append(finding.shapes[position] if position < len(finding.shapes) else None)
    places = np.array(shapes, dtype=object)
    places[shapely.is_empty(places)] = None
    coordinates, owner = shapely.get_coordinates(places, return_index=True)
    places[np.unique(owner[~np.isfinite(coordinates).all(axis=1)])] = None
    places = shapely.force_2d(places)
    points = places.copy()
    there = ~shapely.is_missing(places)
    points[there] = shapely.point_on_surface(places[there])
    data = pandas.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    is_place = np.array([finding.rule.id.startswith("PV-") for finding in result.findings
                         for _ in range(finding.count)],
                        dtype=bool)
    area = there & is_place & (shapely.get_dimensions(places) == 2)
    return (geopandas.GeoDataFrame(data, geometry=points, crs=result.crs),
            geopandas.GeoDataFrame(data[area].reset_index(drop=True), geometry=places[area], crs=result.crs))
