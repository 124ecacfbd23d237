"""Zones by parcel: hand-made plans first, then what must always hold, then a real city."""

from pathlib import Path

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.areas import Surface
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.geometry import InvalidGeometry
from quyhoach.processing_algorithms.zoning.plans.parcel_zoning import parcel_zoning

CRS = "EPSG:9214"
DOUALA = Path(__file__).resolve().parents[3] / "shared" / "data" / "blocks" / "douala_blocks.gpkg"
box = shapely.box


def layer(shapes, crs=CRS, ids=None, **columns):
    frame = geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(list(shapes), dtype="geometry"), crs=crs)
    frame.index = pandas.Index(ids if ids is not None else range(1, len(frame) + 1), name="fid")
    return frame


def rows(result, *columns):
    return result.pieces[list(columns)].astype(object).where(result.pieces[list(columns)].notna(), None).values.tolist()


def test_a_parcel_in_two_zones():
    # 20 x 10 m; the border between housing and green runs at x = 15: 150 m2 and 50 m2.
    parcels = layer([box(0, 0, 20, 10)], ids=[7], so_to=[12], so_thua=[34])
    zones = layer([box(15, 0, 40, 10), box(0, 0, 15, 10)], ids=[3, 9], ma=["CXCC", "NO"])
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    columns = ("so_to", "so_thua", "parcel_fid", "zone_fid", "zone", "piece", "area_m2", "share_pct", "sliver")
    assert rows(result, *columns) == [
        [12, 34, 7, 9, "NO", 1, 150.0, 75.0, False], [12, 34, 7, 3, "CXCC", 2, 50.0, 25.0, False]]
    assert (result.piece_count, result.area_m2, result.split_parcels, result.outside_m2) == (2, 200.0, 1, 0.0)
    assert list(result.pieces.columns)[:2] == ["so_to", "so_thua"] and result.pieces.crs.to_epsg() == 9214


def test_outside_is_told_and_written_on_request():
    # 6 of 10 m in the zone; a second parcel has none.
    parcels = layer([box(0, 0, 10, 10), box(50, 0, 60, 10)], n=[1, 2])
    zones = layer([box(-5, -5, 6, 15)], ma=[4])
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    assert rows(result, "n", "zone", "share_pct") == [[1, 4, 60.0]]
    assert (result.outside_m2, result.parcels_outside, result.piece_count) == (140.0, 1, 1)
    full = parcel_zoning(parcels, zones, "ma", scale=2000, outside=True)
    assert rows(full, "n", "zone_fid", "zone", "share_pct") == [
        [1, 1, 4, 60.0], [1, None, None, 40.0], [2, None, None, 100.0]]
    assert full.piece_count == 1 and full.area_m2 == 60.0 and str(full.pieces["zone"].dtype) == "Int64"


def test_overlapping_zones_are_told_and_close():
    # Zones 0-8 and 5-10 overlap on 3 x 10 m; 0-10 is the parcel: 80 + 50 - 30 = 100.
    parcels = layer([box(0, 0, 10, 10)])
    zones = layer([box(0, 0, 8, 10), box(5, 0, 10, 10)], ids=[11, 12], ma=["A", "B"])
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    assert rows(result, "zone", "share_pct") == [["A", 80.0], ["B", 50.0]]
    assert result.overlap_m2 == 30.0 and result.outside_m2 == 0.0 and result.overlapping_zones == [(11, 12)]
    assert result.area_m2 + result.outside_m2 - result.overlap_m2 == result.parcels_m2


def test_sliver_is_flagged_with_its_reason_and_kept():
    # The plan's border is drawn 0.5 m off the parcel's: at 1/2000 that is within 0.8 m, at 1/500 beyond 0.2 m.
    parcels = layer([box(0, 0, 20, 10)])
    zones = layer([box(0, 0, 19.5, 10), box(19.5, 0, 40, 10)], ma=["NO", "GT"])
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    assert rows(result, "zone", "sliver", "sliver_reason") == [
        ["NO", False, None], ["GT", True, "Trong hạn sai ghép bản đồ 0,80 m, xác định tại thực địa"]]
    assert (result.slivers, result.split_parcels, result.truly_split_parcels, result.tolerance_m) == (1, 1, 0, 0.8)
    assert parcel_zoning(parcels, zones, "ma", scale=500).slivers == 0
    assert parcel_zoning(parcels, zones, "ma", scale=500, tolerance_mm=1.0).slivers == 1


def test_a_narrow_parcel_is_no_sliver():
    # An alley 0.6 m wide: whole in one zone, or cut across in the middle. No shift of the border explains that.
    parcels = layer([box(0, 0, 30, 0.6)])
    whole = layer([box(-10, -10, 40, 10)], ma=["NO"])
    across = layer([box(-10, -10, 15, 10), box(15, -10, 40, 10)], ma=["NO", "CX"])
    assert parcel_zoning(parcels, whole, "ma", scale=2000).slivers == 0
    assert parcel_zoning(parcels, across, "ma", scale=2000).slivers == 0
    half = layer([box(-10, -10, 15, 10)], ma=["NO"])
    assert parcel_zoning(parcels, half, "ma", scale=2000, outside=True).slivers == 0


def test_a_rim_outside_all_zones_is_a_sliver():
    parcels = layer([box(0, 0, 20, 10)])
    zones = layer([box(0, 0, 19.7, 10)], ma=["NO"])
    result = parcel_zoning(parcels, zones, "ma", scale=2000, outside=True)
    assert rows(result, "zone", "sliver") == [["NO", False], [None, True]]


def test_null_value_is_kept_and_counted():
    parcels = layer([box(0, 0, 10, 10)])
    zones = layer([box(0, 0, 4, 10), box(4, 0, 10, 10)], ma=pandas.array([5, None], dtype="Int64"))
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    assert rows(result, "zone", "area_m2") == [[None, 60.0], [5, 40.0]] and result.without_value == 1


def test_parcel_columns_keep_their_names():
    parcels = layer([box(0, 0, 10, 10)], zone=["cũ"], AREA_M2=[99.0], geom=["x"])
    zones = layer([box(0, 0, 10, 10)], zone=["mới"])
    result = parcel_zoning(parcels, zones, "zone", scale=2000)
    assert rows(result, "zone", "AREA_M2", "zone_2", "area_m2_2") == [["cũ", 99.0, "mới", 100.0]]
    assert result.renamed == {"zone": "zone_2", "area_m2": "area_m2_2"}
    assert len({name.lower() for name in result.pieces.columns}) == len(result.pieces.columns)


def test_zones_in_another_system_are_moved_by_the_official_shift():
    # VN-2000 of another meridian; the zone is the parcel itself, so the piece must be all of it to the millimetre.
    parcels = layer([box(600_000, 1_200_000, 600_050, 1_200_030)])
    there = parcels.set_crs(None, allow_override=True)
    from quyhoach.processing_algorithms.common.crs import to_crs

    zones = to_crs(parcels.assign(ma=1), "EPSG:9210")
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    assert result.area_m2 == pytest.approx(1500, abs=0.05) and result.truly_split_parcels == 0
    assert there.crs is None


def test_ellipsoid_areas_in_degrees():
    # 0.001 x 0.001 degrees at 16 N: 107.04 x 110.66 m by the WGS 84 series = 11,845 m2 within 0.1 %.
    parcels = layer([box(107, 16, 107.001, 16.001)], crs="EPSG:4326")
    zones = layer([box(107, 16, 107.0005, 16.001), box(107.0005, 16, 107.002, 16.001)], crs="EPSG:4326", ma=[1, 2])
    result = parcel_zoning(parcels, zones, "ma", scale=2000, surface=Surface.ELLIPSOID)
    assert result.parcels_m2 == pytest.approx(11_845, rel=1e-3)
    assert [round(share, 6) for share in result.pieces["share_pct"]] == [50.0, 50.0] and result.slivers == 0


def test_mismatched_maps_are_told_in_degrees_as_in_metres():
    # Each house lot reaches 0.3 m into the street zone: two maps that do not match. Far from the first lot the tolerance
    # is asked in metres as well, whichever system the layers are in.
    from quyhoach.processing_algorithms.common.crs import to_crs

    parcels = layer([box(548_000 + 500 * k, 1_829_000, 548_020 + 500 * k, 1_829_010.3) for k in range(4)])
    zones = layer([box(547_900, 1_828_000, 551_000, 1_829_010), box(547_900, 1_829_010, 551_000, 1_829_020)],
                  ma=["NO", "GT"])
    plane = parcel_zoning(parcels, zones, "ma", scale=2000)
    degrees = parcel_zoning(to_crs(parcels, "EPSG:4326"),
                            to_crs(zones.assign(geometry=shapely.segmentize(zones.geometry, 5)), "EPSG:4326"),
                            "ma", scale=2000, surface=Surface.ELLIPSOID)
    assert (plane.slivers, plane.truly_split_parcels) == (degrees.slivers, degrees.truly_split_parcels) == (4, 0)


def test_heights_of_vertices_are_dropped():
    high = layer([shapely.force_3d(box(0, 0, 10, 10), 5.0)])
    flat = parcel_zoning(high, layer([box(5, 0, 10, 10)], ma=[1]), "ma", scale=2000)
    assert not shapely.has_z(flat.pieces.geometry.array).any() and flat.area_m2 == 50


def test_null_empty_and_invalid_geometry():
    tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    parcels = layer([None, shapely.Polygon(), tie, box(20, 0, 30, 10)], ids=[1, 2, 3, 4])
    zones = layer([box(0, 0, 40, 40)], ma=[1])
    result = parcel_zoning(parcels, zones, "ma", scale=2000)
    report = result.reports[0]
    assert (report.null, report.empty, report.repaired_ids) == (1, 1, [3])
    # The structure method keeps the two triangles of the bow tie, 25 m2 each.
    assert rows(result, "parcel_fid", "area_m2") == [[3, 50.0], [4, 100.0]]
    with pytest.raises(InputError, match="3"):
        parcel_zoning(parcels, zones, "ma", scale=2000, invalid=InvalidGeometry.REFUSE)


def test_faults_are_told_together():
    with pytest.raises(InputError) as caught:
        nowhere = layer([box(0, 0, 1, 1)], crs=None, ma=[1])
        parcel_zoning(nowhere, nowhere, "mã", scale=0, tolerance_mm=-1)
    assert len(caught.value.problems) == 5


def test_degrees_on_the_plane_and_layers_without_polygons_are_refused():
    degrees = layer([box(107, 16, 107.001, 16.001)], crs="EPSG:4326", ma=[1])
    with pytest.raises(InputError, match="độ"):
        parcel_zoning(degrees, degrees, "ma", scale=2000)
    with pytest.raises(InputError, match="không có vùng nào"):
        parcel_zoning(layer([None]), layer([box(0, 0, 1, 1)], ma=[1]), "ma", scale=2000)


def test_nothing_in_common_is_an_empty_table_with_all_columns():
    result = parcel_zoning(layer([box(0, 0, 1, 1)], so=[1]), layer([box(5, 5, 6, 6)], ma=["A"]), "ma", scale=2000)
    assert len(result.pieces) == 0 and "so" in result.pieces and "sliver_reason" in result.pieces
    assert (result.piece_count, result.outside_m2, result.parcels_outside) == (0, 1.0, 1)


corners = st.tuples(st.floats(0, 40), st.floats(0, 40), st.floats(0.2, 15), st.floats(0.2, 15))
rectangles = st.lists(corners.map(lambda c: box(c[0], c[1], c[0] + c[2], c[1] + c[3])), min_size=1, max_size=6)


@given(rectangles, rectangles)
@settings(max_examples=50)
def test_areas_and_shares_close(parcels, zones):
    result = parcel_zoning(layer(parcels), layer(zones, ma=list(range(len(zones)))), "ma", scale=2000, outside=True)
    assert result.area_m2 + result.outside_m2 - result.overlap_m2 == pytest.approx(result.parcels_m2, rel=1e-9)
    pieces = result.pieces
    assert (pieces["area_m2"] > 0).all() and (pieces["share_pct"] <= 100 * (1 + 1e-9)).all()
    assert pieces["piece"].tolist() == (pieces.groupby("parcel_fid").cumcount() + 1).tolist()
    assert set(pieces["parcel_fid"]) == set(range(1, len(parcels) + 1))
    if not result.overlapping_zones:
        assert pieces.groupby("parcel_fid")["share_pct"].sum().to_numpy() == pytest.approx(100, rel=1e-9)


@pytest.mark.skipif(not DOUALA.exists(), reason=f"real data not here: {DOUALA}")
def test_real_blocks_of_douala():
    # An independent overlay found 9,802 pieces, 218 of them under 1 m2, and 536 blocks in more than one zone.
    before = geopandas.read_file(DOUALA, layer="blocks_original", fid_as_index=True)
    after = geopandas.read_file(DOUALA, layer="blocks_simplified", fid_as_index=True)
    result = parcel_zoning(before, after, "bid", scale=2000, outside=True)
    assert round(result.area_m2 / 1e6, 4) == 177.6248
    in_zone = result.pieces[result.pieces["zone_fid"].notna()]
    assert (result.piece_count, int((in_zone["area_m2"] < 1).sum()), result.split_parcels) == (9802, 218, 536)
    assert result.parcels_m2 == pytest.approx(before.area.sum(), rel=1e-12)
    shares = result.pieces.groupby("parcel_fid")["share_pct"].sum()
    assert len(shares) == len(before) and np.abs(shares - 100).max() < 1e-8
    # The flag never marks a whole block, and every flagged piece vanishes when shrunk by half the tolerance.
    flagged = result.pieces[result.pieces["sliver"]]
    assert len(flagged) and (flagged["share_pct"] < 100).all()
    assert flagged.buffer(-0.4).is_empty.all()
