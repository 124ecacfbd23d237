"""Plans of three levels, old and amended ones among them, with their zones and control figures, and the constraints that lie over them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from .blocks import Blocks
from .civic_sites import Site
from .landscape import noise
from .place import extent, generator
from .polygons import polygonal
from .splitting import split_to_lots
from .street_classes import CLASSES
from .street_plan import Street
from .territory import Territory
from .watercourses import Watercourses
from .welding import weld

PLANS = [
    {
        "plan_ref": "QHC-LT-2040",
        "name": "Quy hoạch chung đô thị Lam Trạch đến năm 2040",
        "level": "general",
        "scale": 10000,
        "status": "approved",
        "appraisal_date": "2024-03-12",
        "approval_date": "2024-06-20",
        "publication_date": "2024-07-01",
        "decision_number": "1187/QĐ-UBND",
        "replaces_ref": "QHC-LT-2030",
        "horizon_year": 2040,
        "planned_population": 42000,
        "approving_agency": "UBND tỉnh Hương Nguyên (giả định)",
    },
    {
        "plan_ref": "QPK-TT-2035",
        "name": "Quy hoạch phân khu Trung tâm, phường Lam Trạch, tỷ lệ 1/2.000",
        "level": "sub_area",
        "scale": 2000,
        "status": "approved",
        "appraisal_date": "2025-08-05",
        "approval_date": "2025-10-14",
        "publication_date": "2025-10-24",
        "decision_number": "2046/QĐ-UBND",
        "horizon_year": 2035,
        "planned_population": 14500,
        "approving_agency": "UBND tỉnh Hương Nguyên (giả định)",
    },
    {
        "plan_ref": "QCT-BS-500",
        "name": "Quy hoạch chi tiết khu đô thị mới Bàu Sen, tỷ lệ 1/500",
        "level": "detailed",
        "scale": 500,
        "status": "in_appraisal",
        "appraisal_date": None,
        "approval_date": None,
        "publication_date": None,
        "decision_number": None,
        "horizon_year": 2030,
        "planned_population": 2600,
        "approving_agency": "UBND phường Bàu Sen (giả định)",
    },
    {
        "plan_ref": "QHC-LT-2030",
        "name": "Quy hoạch chung thị trấn Lam Trạch đến năm 2030",
        "level": "general",
        "scale": 10000,
        "status": "superseded",
        "appraisal_date": "2014-02-10",
        "approval_date": "2014-05-19",
        "publication_date": "2014-06-02",
        "superseded_date": "2024-06-20",
        "decision_number": "903/QĐ-UBND",
        "horizon_year": 2030,
        "planned_population": 30000,
        "approving_agency": "UBND tỉnh Hương Nguyên (giả định)",
        "adjustment": "first",
    },
    {
        "plan_ref": "QPK-TT-2035-DC1",
        "name": "Điều chỉnh cục bộ quy hoạch phân khu Trung tâm, phường Lam Trạch",
        "level": "sub_area",
        "scale": 2000,
        "status": "approved",
        "appraisal_date": "2026-04-20",
        "approval_date": "2026-05-12",
        "publication_date": "2026-05-20",
        "decision_number": "871/QĐ-UBND",
        "horizon_year": 2035,
        "planned_population": None,
        "approving_agency": "UBND tỉnh Hương Nguyên (giả định)",
        "adjustment": "local",
        "replaces_ref": "QPK-TT-2035",
    },
]
#: function: density %, min and max storeys, setback m; the ratio is their product, rounded down to a tenth.
_FIGURES = {"NO": (70, 2, 5, 2.0), "HH": (60, 3, 9, 4.0), "LX": (50, 1, 3, 2.0), "DV": (50, 1, 5, 6.0), "TRUONG": (40,
    1, 3, 6.0), "THPT": (40, 1, 4, 6.0), "YT": (40, 1, 5, 6.0),
            "VH": (40, 1, 3, 6.0), "CQ": (40, 1, 5, 6.0), "CN": (60, 1, 3, 6.0), "DTTG": (30, 1, 2, 3.0), "TDTT": (25,
             1, 2, 6.0), "CXCC": (5, 1, 1, 3.0), "AN": (50, 1, 5, 4.0),
            "HTK": (40, 1, 2, 5.0), "BDX": (30, 1, 2, 5.0), "NTR": (5, 1, 1, 5.0)}
_SUB_AREA_OLD = (0, 1, 2)
_NEW_TOWN = (5190.0, 2270.0, 300.0)


def general_plan_zones(
    faces: NDArray[np.object_], blocks: Blocks, water: Watercourses, territory: Territory
) -> pd.DataFrame:
    """Zones of the general plan: faces grouped by function within each hamlet, drawn as exactly as 1/10,000 is."""
    inner = shapely.point_on_surface(blocks.shapes)
    x, y = shapely.get_coordinates(inner).T
    u = blocks.urbanity
    growth = (blocks.character == "field") & (u > 0.02) & (np.hypot(x - 4700, y - 1700) < 900)
    function = np.select(
        [
            blocks.character == "industry",
            growth,
            (blocks.character == "town") & (u > 0.9),
            blocks.character == "town",
            blocks.character == "village",
            blocks.character == "forest",
            (blocks.character == "shore") & (u > 0.4),
            (blocks.character == "shore") & (shapely.distance(blocks.shapes, water.water) < 120),
        ],
        ["CN", "NO", "HH", "NO", "LX", "RSX", "CXCC", "CXCD"],
        "NN",
    )
    block, face = shapely.STRtree(faces).query(inner, predicate="intersects")
    votes = pd.DataFrame({"face": face, "function": function[block], "area": shapely.area(blocks.shapes[block])})
    votes = (
        votes.groupby(["face", "function"])["area"]
        .sum()
        .reset_index()
        .sort_values(["face", "area"])
        .drop_duplicates("face", keep="last")
    )
    of_face = pd.Series("NN", index=np.arange(len(faces)), dtype=object)
    of_face[votes["face"].to_numpy()] = votes["function"].to_numpy()
    dry = shapely.difference(faces, water.water)
    frame = pd.DataFrame({"geometry": dry, "function_code": of_face, "hamlet": territory.face_hamlet})
    frame = (
        frame.groupby(["hamlet", "function_code"], sort=True)["geometry"]
        .agg(lambda part: shapely.union_all(part.to_numpy()))
        .reset_index()
    )
    river = pd.DataFrame({"geometry": [water.water], "function_code": ["SS"], "hamlet": [-1]})
    frame = pd.concat([frame, river], ignore_index=True)
    parts, owner = shapely.get_parts(frame["geometry"].to_numpy(), return_index=True)
    keep = shapely.area(parts) > 200
    frame = frame.iloc[owner[keep]].reset_index(drop=True).assign(geometry=_drawn(parts[keep], 1.6, "general"))
    return _with_figures(frame, "QHC-LT-2040", "net", generator("general plan"))


def sub_area_zones(
    blocks: Blocks, sites: list[Site], territory: Territory, water: Watercourses
) -> tuple[pd.DataFrame, shapely.Geometry]:
    """Zones of the sub-area plan of the centre: blocks, civic plots cut out of them, and the streets between."""
    boundary = shapely.union_all([territory.olds[at] for at in _SUB_AREA_OLD])
    centre = shapely.point_on_surface(blocks.shapes)
    mine = shapely.contains(boundary, centre) & np.isin(blocks.character, ["town", "shore", "village", "field"])
    plots = [site for site in sites if boundary.contains(site.shape.representative_point())]
    civic = np.array([site.shape for site in plots], dtype=object)
    rest = shapely.difference(blocks.shapes[mine], shapely.union_all(civic))
    parts, owner = shapely.get_parts(rest, return_index=True)
    keep = shapely.area(parts) > 60
    parts, u, character = parts[keep], blocks.urbanity[mine][owner[keep]], blocks.character[mine][owner[keep]]
    dice = generator("sub-area").random(len(parts))
    function = np.select(
        [character == "shore", dice < 0.10, (u > 0.85) & (dice < 0.35), dice > 0.96], ["CXCC", "DV", "HH", "CXCC"], "NO"
    )
    shapes = np.concatenate([parts, civic])
    shapes = shapely.intersection(weld(shapes), boundary)
    between = shapely.difference(boundary, shapely.union_all(shapes))
    roads = [part for part in shapely.get_parts(shapely.difference(between, water.water)) if part.area > 60]
    river = [part for part in shapely.get_parts(shapely.intersection(between, water.water)) if part.area > 60]
    frame = pd.DataFrame({"geometry": [*shapes, *roads, *river]})
    frame["function_code"] = [*function, *[site.function for site in plots], *["GT"] * len(roads), *["SS"] * len(river)]
    frame["name"] = [*[None] * len(parts), *[site.name for site in plots], *[None] * (len(frame) - len(shapes))]
    frame["geometry"], boundary = _closed(_drawn(frame["geometry"].to_numpy(), 0.35, "sub-area"))
    return _with_figures(frame, "QPK-TT-2035", "net", generator("sub-area figures")), boundary


def amended_zones(sub_area: pd.DataFrame) -> tuple[pd.DataFrame, shapely.Geometry]:
    """Zones of the local amendment: one housing block of the sub-area plan, a park in its west, higher in its east."""
    shapes = sub_area["geometry"].to_numpy()
    fit = (sub_area["function_code"] == "NO").to_numpy() & (shapely.get_num_interior_rings(shapes) == 0)
    chosen = shapes[np.flatnonzero(fit)[np.argmin(np.abs(shapely.area(shapes[fit]) - 9000.0))]]
    x0, y0, x1, y1 = chosen.bounds
    middle = round(x0 + 0.4 * (x1 - x0), 3)
    parts = [shapely.intersection(chosen, shapely.box(*half))
             for half in ((x0 - 1, y0 - 1, middle, y1 + 1), (middle, y0 - 1, x1 + 1, y1 + 1))]
    frame = pd.DataFrame({"geometry": parts, "function_code": ["CXCC", "NO"]})
    frame = _with_figures(frame, "QPK-TT-2035-DC1", "net", generator("local amendment"))
    frame["zone_code"] = "DC1-" + frame["zone_code"]
    housing = frame["function_code"] == "NO"
    frame.loc[housing, ["max_storeys", "max_height_m", "max_far"]] = [7, 27.2, 4.2]
    frame.loc[housing, "max_density_pct"] = 60.0
    return frame, chosen


def parcel_override_layer(parcels: pd.DataFrame, sub_area: shapely.Geometry) -> pd.DataFrame:
    """Figures decided for three parcels of the sub-area plan: one in force, the one before it, and a draft."""
    shapes = parcels["geometry"].to_numpy()
    fit = (parcels["land_code"] == "ODT").to_numpy() & (shapely.area(shapes) > 200) & shapely.is_valid(shapes)
    fit &= shapely.contains(sub_area, shapely.point_on_surface(shapes))
    first, second = parcels[fit].iloc[[40]], parcels[fit].iloc[[140]]
    rows = pd.concat([first, first, second], ignore_index=True)
    rows = rows[["geometry", "commune_code", "old_commune_code", "sheet_no", "parcel_no"]].copy()
    rows["override_ref"] = ["CTR-2026-001", "CTR-2026-002", "CTR-2026-003"]
    rows["plan_ref"], rows["density_kind"] = "QPK-TT-2035", "net"
    rows["max_density_pct"], rows["max_storeys"] = [75.0, 80.0, 80.0], [5, 6, 7]
    rows["max_height_m"] = [20.0, 23.6, 27.2]
    rows["status"] = ["superseded", "approved", "draft"]
    rows["decision_number"] = ["112/UBND-QLĐT", "415/UBND-QLĐT", None]
    rows["decision_date"] = ["2026-01-15", "2026-07-03", None]
    rows["valid_to"] = ["2026-07-02", None, None]
    rows["legal_basis"] = "Dữ liệu mẫu: văn bản giả định"
    return rows


def detailed_zones(blocks: Blocks) -> tuple[pd.DataFrame, shapely.Geometry]:
    """Lots of the detailed plan of the new quarter at Bàu Sen."""
    x, y, radius = _NEW_TOWN
    near = shapely.distance(shapely.centroid(blocks.shapes), shapely.Point(x, y)) < radius
    near &= blocks.character == "town"
    shapes = blocks.shapes[near]
    rng = generator("detailed plan")
    lots, parent = split_to_lots(shapes, np.full(len(shapes), 1900.0), np.full(len(shapes), 36.0), rng, wobble=0.04)
    lots = weld(lots)
    boundary = shapely.union_all(shapes).buffer(14.0, join_style="mitre").buffer(-7.0, join_style="mitre")
    boundary = max(shapely.get_parts(boundary), key=lambda part: part.area)
    lots = lots[shapely.contains(boundary, shapely.point_on_surface(lots))]
    dice = rng.random(len(lots))
    function = np.select([dice < 0.10, dice < 0.16, dice < 0.20, dice < 0.27], ["CXCC", "DV", "TRUONG", "HH"], "NO")
    roads = shapely.difference(boundary, shapely.union_all(lots))
    frame = pd.DataFrame({"geometry": [*lots, *[part for part in shapely.get_parts(roads) if part.area > 20]]})
    frame["function_code"] = [*function, *["GT"] * (len(frame) - len(lots))]
    frame["geometry"], boundary = _closed(_drawn(frame["geometry"].to_numpy(), 0.08, "detailed"))
    return _with_figures(frame, "QCT-BS-500", "net", rng), boundary


def _drawn(shapes, error, topic):
    """Move the drawing against the cadastre by a slowly changing error, metres, as plans of that scale do."""
    xy = shapely.get_coordinates(shapes)
    shift = error * np.column_stack([noise(*xy.T, 450, f"{topic} x", 2), noise(*xy.T, 450, f"{topic} y", 2)])
    return shapely.set_coordinates(shapes.copy(), np.round(xy + shift, 3))


def _closed(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], shapely.Geometry]:
    """Let the zones cover the plan without gaps or overlaps, as a dossier must; return them and the plan's boundary."""
    shapes = shapes.copy()
    for at in range(1, len(shapes)):
        over = shapes[:at][shapely.intersects(shapes[:at], shapes[at])]
        if shapely.area(shapely.intersection(over, shapes[at])).sum() > 0:
            shapes[at] = shapely.set_precision(shapely.difference(shapes[at], shapely.union_all(over)), 0.001)
    for hole in _holes(shapely.union_all(shapes)):
        shared = shapely.length(shapely.intersection(shapely.boundary(shapes), shapely.boundary(hole)))
        keeper = int(np.argmax(shared))
        shapes[keeper] = shapely.set_precision(shapely.union(shapes[keeper], hole), 0.001)
    shapes = np.array([max(shapely.get_parts(shape), key=shapely.area) for shape in shapes], dtype=object)
    # Rounding to the millimetre leaves holes thinner than that; the plan has none.
    ground = max(shapely.get_parts(shapely.union_all(shapes)), key=shapely.area)
    return shapes, shapely.polygons(shapely.get_exterior_ring(ground))


def _holes(shape: shapely.Geometry) -> list[shapely.Geometry]:
    return [shapely.polygons(ring) for part in shapely.get_parts(shape) for ring in part.interiors]


def _with_figures(frame: pd.DataFrame, plan_ref: str, kind: str, rng: np.random.Generator) -> pd.DataFrame:
    count = frame.groupby("function_code").cumcount() + 1
    frame = frame.assign(plan_ref=plan_ref, zone_code=frame["function_code"] + "-" + count.map("{:02d}".format))
    figures = [_FIGURES.get(code) for code in frame["function_code"]]
    vary = rng.choice([-5, 0, 0, 5], len(frame))
    density = np.array(
        [min(100, max(5, row[0] + step)) if row else np.nan for row, step in zip(figures, vary)], dtype=float
    )
    storeys = np.array(
        [row[2] + (rng.random() < 0.2 and row[2] > 2) if row else np.nan for row in figures], dtype=float
    )
    frame["max_density_pct"] = density
    frame["density_kind"] = np.where(np.isnan(density), None, kind)
    frame["min_storeys"] = [row[1] if row else np.nan for row in figures]
    frame["max_storeys"] = storeys
    frame["max_height_m"] = np.round(storeys * 3.6 + 2.0, 1)
    frame["max_far"] = np.floor(density / 100 * storeys * 10) / 10
    frame["setback_m"] = [row[3] if row else np.nan for row in figures]
    area = shapely.area(frame["geometry"].to_numpy())
    frame["legal_area_m2"] = np.round(area * (1 + 0.002 * rng.uniform(-1, 1, len(frame))), 1)
    living = frame["function_code"].isin(["NO", "HH", "LX"])
    frame["population"] = np.where(
        living, np.round(area * np.where(frame["function_code"] == "LX", 0.002, 0.012), -1), np.nan
    )
    frame["horizon_year"] = next(plan["horizon_year"] for plan in PLANS if plan["plan_ref"] == plan_ref)
    return frame


def plan_layer(boundaries: dict[str, shapely.Geometry]) -> pd.DataFrame:
    """The plans with their extents."""
    rows = []
    for plan in PLANS:
        boundary = boundaries.get(plan["plan_ref"], extent())
        rows.append(
            {
                "adjustment": "overall" if plan["level"] == "general" else "first",
                "replaces_ref": None,
                "superseded_date": None,
                **plan,
                "geometry": boundary,
                "kind": "urban",
                "plan_code": None,
                "dossier_code": None,
                "legal_area_ha": round(boundary.area / 1e4, 1),
                "note": "Đồ án giả định trong dữ liệu mẫu.",
            }
        )
    return pd.DataFrame(rows)


def constraint_layer(streets: list[Street], water: Watercourses, sites: list[Site]) -> pd.DataFrame:
    """Road red lines, river and dyke corridors, a 110 kV line, and the protection of three communal houses."""
    rows = []
    for name, kind in (
        ("Quốc lộ 49C", "national"),
        ("Đường tránh phía Đông", "provincial"),
        ("Đường Thống Nhất", "main"),
    ):
        lines = [street.line for street in streets if street.name == name]
        wide = CLASSES[kind].right_of_way / 2 + (13.0 if kind == "national" else 5.0)
        rows.append(
            (
                f"Hành lang an toàn đường bộ {name}",
                "road_corridor",
                "no_building",
                shapely.union_all(lines).buffer(wide, cap_style="flat"),
                "Dữ liệu mẫu: quy định giả định về hành lang an toàn đường bộ",
            )
        )
    bank = shapely.difference(water.water.buffer(30.0), water.water)
    rows.append(
        (
            "Hành lang bảo vệ nguồn nước sông Trạch",
            "water_source",
            "limited",
            bank,
            "Dữ liệu mẫu: hành lang bảo vệ nguồn nước giả định 30 m",
        )
    )
    rows.append(
        (
            "Hành lang bảo vệ đê Bắc Trạch",
            "dyke",
            "no_building",
            water.dyke.buffer(25.0),
            "Dữ liệu mẫu: phạm vi bảo vệ đê giả định 25 m",
        )
    )
    power = shapely.LineString(
        [(6000, 1180), (5300, 860), (4800, 790), (4020, 330), (3000, 640), (2200, 330), (1300, 900), (0, 1000)]
    )
    rows.append(
        (
            "Hành lang đường dây 110 kV Nam Trạch - Khe Mây",
            "power_line",
            "height_limit",
            power.buffer(15.0, cap_style="flat"),
            "Dữ liệu mẫu: hành lang an toàn lưới điện giả định",
        )
    )
    canal = water.streams["kênh Đông Lộc"].buffer(12.0)
    rows.append(
        (
            "Phạm vi bảo vệ kênh Đông Lộc",
            "irrigation",
            "no_building",
            shapely.difference(canal, water.water),
            "Dữ liệu mẫu",
        )
    )
    for site in sites:
        if site.kind == "communal_house":
            rows.append(
                (
                    f"Khu vực bảo vệ I {site.name}",
                    "heritage",
                    "no_building",
                    site.shape.buffer(2.0, join_style="mitre"),
                    "Dữ liệu mẫu",
                )
            )
            rows.append(
                (
                    f"Khu vực bảo vệ II {site.name}",
                    "heritage",
                    "height_limit",
                    shapely.difference(site.shape.buffer(45.0), site.shape.buffer(2.0, join_style="mitre")),
                    "Dữ liệu mẫu",
                )
            )
    main = [street.line for street in streets if street.name == "Đường Thống Nhất"]
    rows.append(
        (
            "Phạm vi trong chỉ giới đường đỏ Đường Thống Nhất",
            "red_line",
            "no_building",
            shapely.union_all(main).buffer(CLASSES["main"].right_of_way / 2, cap_style="flat"),
            "Dữ liệu mẫu: chỉ giới đường đỏ giả định",
        )
    )
    frame = pd.DataFrame(rows, columns=["name", "constraint_type", "effect", "geometry", "legal_basis"])
    frame["geometry"] = polygonal(
        shapely.set_precision(shapely.intersection(frame["geometry"].to_numpy(), extent()), 0.001)
    )
    frame["max_height_m"] = np.where(
        frame["effect"] == "height_limit", np.where(frame["constraint_type"] == "heritage", 9.0, 7.0), np.nan
    )
    frame["valid_from"] = "2022-01-01"
    # The red line is drawn with the sub-area plan, the corridors on maps at 1/2,000 too.
    frame["scale"] = 2000
    return frame
