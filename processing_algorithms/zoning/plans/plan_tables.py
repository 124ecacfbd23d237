"""Answers of `plan_answers` as the tables `quyhoach:parcelzoning` writes."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas

from ...common.columns import free_names
from ...common.progress import Progress, silent
from .parcel_zoning import COLUMNS
from .plan_answers import PlanAnswers
from .plan_figures import FIGURES, figure_label, figures_of_parcels, plan_words, rows_of, unit_of

#: What follows the columns of one plan (`parcel_zoning.COLUMNS`) when several plans are asked.
PLAN_COLUMNS = ("is_answer", "role", "reason", "plan_ref", "plan_name", "level", "decision_number", "approval_date",
                "scale", "zone_code", "function_code", "density_kind", *FIGURES)
FIGURE_COLUMNS = ("parcel_fid", "piece", "plan_ref", "zone_code", "figure", "label", "value", "unit", "plan_value",
                  "source", "area_m2", "whole", "reason")


def pieces_table(
    answers: PlanAnswers, parcels: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, zone_field: str,
    outside: bool = False,
) -> tuple[geopandas.GeoDataFrame, dict[str, str]]:
    """Return the pieces with the parcels' own columns first, as `parcel_zoning` does, then those of the plans.

    Parameters
    ----------
    outside : bool
        Keep parts in no zone and in no plan.

    Returns
    -------
    frame : GeoDataFrame
    renamed : dict
        Our columns that had to take another name.
    """
    pieces = answers.pieces if outside else answers.pieces[answers.pieces["zone_fid"].notna()]
    attributes = parcels.drop(columns=parcels.geometry.name)
    names = free_names((*COLUMNS, *PLAN_COLUMNS), attributes.columns)
    frame = attributes.loc[pieces["parcel_fid"]].reset_index(drop=True)
    values = zones[zone_field].reindex(pieces["zone_fid"]).array
    ours = {"zone": values, "sliver": pieces["within_tolerance"].array, "sliver_reason": pieces["tolerance_note"].array}
    for name, column in names.items():
        frame[column] = ours[name] if name in ours else pieces[name].array
    return (geopandas.GeoDataFrame(frame, geometry=pieces.geometry.array, crs=pieces.crs),
            {name: column for name, column in names.items() if name != column})


def figures_table(answers: PlanAnswers, progress: Progress = silent) -> pandas.DataFrame:
    """Return the effective figures of all parcels, one row each; see `plan_figures.EffectiveFigure`.

    Parcels with nothing on top of their plan are many and take the quick way.
    """
    pieces = answers.pieces[answers.pieces["is_answer"] & answers.pieces["zone_fid"].notna()]
    broad = ~pieces["within_tolerance"]
    has_broad = pieces["parcel_fid"].isin(pieces.loc[broad, "parcel_fid"])
    pieces = pieces[broad | ~has_broad]
    touched = set(answers.restrictions.loc[answers.restrictions["applies"].astype(bool), "parcel_fid"])
    touched |= set(answers.overrides["parcel_fid"])
    plain = ~pieces["parcel_fid"].isin(touched)
    rows = [_plain(pieces[plain])]
    parcels = set(pieces.loc[~plain, "parcel_fid"])
    touching = [rows_of(frame[frame["parcel_fid"].isin(parcels)])
                for frame in (answers.restrictions, answers.overrides)]
    progress(0.2)
    listed = [(parcel, f.piece, f.plan_ref, f.zone_code, f.name, f.label, f.value, f.unit, f.plan_value, f.source,
               f.area_m2,
               f.whole, f.reason) for parcel, f in figures_of_parcels(rows_of(pieces[~plain]), *touching)]
    progress(0.8)
    rows.append(pandas.DataFrame(listed, columns=list(FIGURE_COLUMNS)))
    table = pandas.concat([frame for frame in rows if len(frame)] or rows[:1], ignore_index=True)
    progress(1.0)
    order = {parcel: position for position, parcel in enumerate(answers.parcels.index)}
    figure = {name: position for position, name in enumerate(("function", *FIGURES, "building"))}
    rank = np.lexsort((~table["whole"].astype(bool), table["figure"].map(figure), table["piece"],
                       table["parcel_fid"].map(order)))
    return table.take(rank).reset_index(drop=True)


def _plain(pieces: pandas.DataFrame) -> pandas.DataFrame:
    words = {}
    for _, row in pieces.drop_duplicates("plan_ref").iterrows():
        words[row["plan_ref"]] = plan_words(row)
    frames = []
    for name in FIGURES:
        some = pieces[pieces[name].notna()]
        labels = {kind: figure_label(name, kind) for kind in some["density_kind"].unique()}
        frames.append(pandas.DataFrame({
            "parcel_fid": some["parcel_fid"].array, "piece": some["piece"].array, "plan_ref": some["plan_ref"].array,
            "zone_code": some["zone_code"].array, "figure": name,
            "label": [labels[kind] for kind in some["density_kind"]],
            "value": some[name].array, "unit": unit_of(name), "plan_value": some[name].array, "source": "plan",
            "area_m2": some["area_m2"].array, "whole": True, "reason": some["plan_ref"].map(words).array}))
    return pandas.concat(frames, ignore_index=True)[list(FIGURE_COLUMNS)]
