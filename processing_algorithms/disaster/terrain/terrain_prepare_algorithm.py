"""Processing algorithm ``quyhoach:terrainprepare``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_rasters import raster_input

if TYPE_CHECKING:
    from ...common.raster import RasterReader
    from .terrain_ground import Ground
    from .terrain_prepare import Rules


class TerrainPrepareAlgorithm(QuyHoachAlgorithm):
    """A terrain made ready for floods; see `terrain_prepare`."""

    ID = "terrainprepare"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy", "pyogrio")
    TAGS = ("DEM", "mô hình số độ cao", "HAND", "dòng chảy", "lưu vực", "hướng chảy", "flow direction", "accumulation",
            "watershed", "streams", "breach", "fill depressions")

    def title(self) -> str:  # noqa: D102
        return say("Chuẩn bị mô hình số độ cao", "Prepare the terrain")

    def help(self) -> str:  # noqa: D102
        return say(
            "Chuẩn bị địa hình một lần để mỗi trận lũ sau chỉ mất vài giây: cao độ đã xử lý, hướng chảy, diện tích lưu "
            "vực, dòng chảy, lưu vực và độ cao của từng ô so với dòng chảy gần nhất (HAND).\n\n"
            "Phương pháp: lỗ không có số liệu (không chạm mép) được nối ở cao độ thấp nhất của bờ lỗ; ô có đê không bị cắt "
            "và được nâng đến cao trình đỉnh nếu biết; ô có sông hạ xuống RIVER_BURN để nước theo sông (độ cao so với sông "
            "vẫn tính từ lòng chưa hạ); cống mở dốc đều từ đầu cao đến đầu thấp. Chỗ trũng: tìm đường thoát ít phải đào "
            "nhất trong BREACH_CELLS ô, sâu không quá BREACH_DEPTH thì cắt, còn lại lấp đến mức tràn (đúng mức tràn thấp "
            "nhất, không thêm độ dốc). Hướng chảy D8 dốc nhất, bằng nhau thì theo thứ tự đông, đông nam, nam…; chỗ bằng "
            "phẳng đi đường ít ô nhất. Dòng chảy bắt đầu từ STREAM_AREA_KM2, cộng với mọi sông đã vẽ. Nước ra khỏi vùng ở "
            "mép raster hoặc mép vùng có số liệu.\n\n"
            "Đơn vị: mét, km². Ở độ kinh vĩ, khoảng cách và diện tích tính trên ellipsoid. Raster xoay: hướng chảy theo hàng "
            "và cột. Địa hình không có hệ tọa độ, hoặc không tính bằng mét, bị từ chối. Số nguyên có hệ số và độ dời được "
            "quy đổi. Đường không hình hoặc hình rỗng: đếm, không dùng.\n\n"
            "Kết quả là một thư mục: conditioned.tif, flow_direction.tif (mã ESRI, 0 = nước ra, 255 = ngoài vùng), "
            "flow_accumulation.tif (km²), height_above_drainage.tif, ground_above_drainage.tif (mặt đất thật, có thể âm sau "
            "đê), reach_id.tif, drainage_chainage.tif, basins.tif, streams.gpkg, model.json (nguồn, tham số, mã kiểm tra "
            "từng tệp). Bộ nhớ khoảng 60 byte mỗi ô: 200 triệu ô cần 12 GB; máy không đủ thì báo trước khi làm. Kết quả "
            "không phụ thuộc máy có cài thêm thư viện nào.",
            "Prepares a terrain once, so that each later flood takes seconds: conditioned heights, flow directions, drained "
            "area, streams, basins, and every cell's height above the nearest drainage (HAND).\n\n"
            "Method: holes without data (not touching the edge) are bridged at the lowest height of their rim; cells of "
            "dykes are never cut and raised to the crest where known; cells of rivers are lowered by RIVER_BURN so that "
            "water follows them (heights above the river still count from the bed as it was); culverts are opened, falling "
            "evenly from the higher to the lower end. Depressions: the way out that needs the least digging is searched "
            "within BREACH_CELLS cells and cut where no deeper than BREACH_DEPTH; the rest is filled to where it spills "
            "(exactly, without added slope). D8 directions, the steepest, of equal ones the first of east, south-east, south "
            "...; on level ground the way of fewest cells. Streams begin at STREAM_AREA_KM2; all drawn rivers are streams. "
            "Water leaves at the edge of the raster or of the known ground.\n\n"
            "Units: metres, km². In degrees, lengths and areas are those of the ellipsoid. Rotated rasters: directions are "
            "in rows and columns. A terrain without a CRS, or not in metres, is refused. Integers with scale and offset are "
            "converted. Lines without or with empty geometry: counted, not used.\n\n"
            "The result is a folder: conditioned.tif, flow_direction.tif (ESRI codes, 0 = leaves, 255 = outside), "
            "flow_accumulation.tif (km²), height_above_drainage.tif, ground_above_drainage.tif (the real ground, which can "
            "be below 0 behind a dyke), reach_id.tif, drainage_chainage.tif, basins.tif, streams.gpkg, model.json (source, "
            "parameters, checksums). Memory: about 60 bytes a cell, 12 GB for 200 million cells; a machine that lacks it is "
            "told before work starts. No package on the machine changes the result.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.raster("TERRAIN", say("Địa hình (mô hình số độ cao)", "Terrain (digital elevation model)"),
                       say("Cao độ mặt đất, mét. Kênh 1 của raster.", "Heights of the ground, metres. Band 1.")),
            ask.layer("RIVERS", say("Sông, kênh", "Rivers, canals"),
                      say("Đường tim; nước bị buộc đi theo. Có thể để trống.",
                          "Centre lines that water is made to follow. May be empty."), ask.LINES, optional=True),
            ask.layer("DYKES", say("Đê, bờ bao", "Dykes"),
                      say("Đường tim đê; mọi ô nó chạm tới không bị cắt.", "Centre lines; no cell they touch is cut."),
                      ask.LINES, optional=True),
            ask.field("DYKE_CREST_FIELD", say("Trường cao trình đỉnh đê (m)", "Field of the dyke crest (m)"),
                      say("Trong hệ cao độ của địa hình; ô thấp hơn được nâng lên. Trống: giữ cao độ của địa hình.",
                          "In the terrain's vertical datum; lower cells are raised to it. Empty: heights stay."),
                      "DYKES", optional=True),
            ask.layer("CULVERTS", say("Cống, cầu", "Culverts, bridges"),
                      say("Đường từ đầu này đến đầu kia, qua đường hoặc đê; nước đi qua được.",
                          "Lines from one end to the other, under roads or dykes; water passes."),
                      ask.LINES, optional=True),
            ask.number("STREAM_AREA_KM2", say("Diện tích lưu vực tối thiểu của dòng chảy (km²)",
                                              "Least drained area of a stream (km²)"),
                       say("Nhỏ hơn thì nhiều dòng chảy nhỏ hơn.", "Less gives more small streams."), 1.0, minimum=1e-6),
            ask.number("BREACH_DEPTH", say("Cắt sâu nhất (m)", "Deepest cut (m)"),
                       say("Chỗ trũng chỉ thoát được qua chỗ cắt sâu hơn thì được lấp. 0: không cắt.",
                           "Depressions that need a deeper cut are filled. 0: no cuts."), 3.0, minimum=0, advanced=True),
            ask.number("BREACH_CELLS", say("Phạm vi tìm đường thoát (ô)", "Search for a way out within (cells)"),
                       say("Nửa cạnh hình vuông quanh đáy chỗ trũng.", "Half the side of the square around the floor."),
                       10, minimum=0, maximum=100, integer=True, advanced=True),
            ask.number("RIVER_BURN", say("Hạ lòng sông (m)", "Lower rivers by (m)"),
                       say("Chỉ để định hướng dòng chảy.", "Only steers the flow."), 5.0, minimum=0, maximum=1000,
                       advanced=True),
            ask.text("VERTICAL_DATUM", say("Hệ cao độ", "Vertical datum"),
                     say("Của địa hình, ví dụ \"Hòn Dấu 1992\"; ghi vào mô hình.",
                         "Of the terrain, such as \"Hon Dau 1992\"; kept with the model."), optional=True),
            ask.number("TERRAIN_ERROR", say("Sai số cao độ của địa hình (m)", "Error of the terrain (m)"),
                       say("Sai số trung phương nếu biết; dùng cho khoảng độ sâu thấp - cao.",
                           "Root mean square error where known; used for the range of depths."), minimum=0, optional=True),
            ask.text("SOURCE_NOTE", say("Nguồn của địa hình", "Source of the terrain"),
                     say("Ví dụ \"LiDAR 2021, Cục Đo đạc\"; ghi vào mô hình.",
                         "Such as \"LiDAR 2021\"; kept with the model."), optional=True, advanced=True),
            ask.invalid_geometry(),
            ask.folder_output("OUTPUT", say("Thư mục mô hình địa hình", "Folder of the terrain model"),
                              say("Được tạo nếu chưa có; mô hình cũ trong đó được thay.",
                                  "Is made if needed; a model in it is replaced.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("REACHES", say("Số đoạn sông", "Reaches")), ("STREAM_KM", say("Chiều dài dòng chảy (km)", "Streams (km)")),
            ("CUT_CELLS", say("Số ô đã cắt", "Cells cut")), ("FILLED_CELLS", say("Số ô đã lấp", "Cells filled")),
            ("HOLES", say("Số lỗ đã nối", "Holes bridged")))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from ...common.crs import require_stated
        from .terrain_model import check_folder
        from .terrain_prepare import check_size

        self.invalid = self.invalid_geometry(parameters, context)
        self.folder = self.parameterAsString(parameters, "OUTPUT", context)
        problems: list[str] = []
        self.lines = {}
        for key in ("RIVERS", "DYKES", "CULVERTS"):
            with noted(problems):
                if (layer := self.layer(parameters, key, context)) is not None:
                    require_stated(layer.crs, layer.name)
                    self.lines[key] = layer
        with noted(problems):
            self.terrain_error = self.optional_number(parameters, "TERRAIN_ERROR", context)
        with noted(problems):
            self.crest_field = self.field(parameters, "DYKE_CREST_FIELD", self.lines.get("DYKES"), context)
        with noted(problems):
            self.terrain = raster_input(self, parameters, "TERRAIN", context)
            with self.terrain.open() as reader:
                _require_usable(reader, self.terrain.name)
                check_size(reader.grid)
        refuse_if(problems)
        self.folder = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        check_folder(self.folder)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.progress import part
        from .terrain_ground import read_ground
        from .terrain_model import write_model
        from .terrain_prepare import Rules, prepare_terrain

        rules = Rules(
            self.parameterAsDouble(parameters, "STREAM_AREA_KM2", context),
            self.parameterAsInt(parameters, "BREACH_CELLS", context),
            self.parameterAsDouble(parameters, "BREACH_DEPTH", context),
            self.parameterAsDouble(parameters, "RIVER_BURN", context))
        if not rules.breach_depth_m:
            rules = Rules(rules.stream_area_km2, 0, 0.0, rules.river_burn_m)
        progress = self.progress(feedback)
        with self.terrain.open() as reader:
            ground = read_ground(reader, part(progress, 0.0, 0.1))
            told = _assumptions(reader, ground)
        told += self._draw_lines(ground)
        datum = self.parameterAsString(parameters, "VERTICAL_DATUM", context).strip()
        if not datum:
            told.append(say("Chưa khai báo hệ cao độ của địa hình: mực nước dùng sau này phải cùng hệ với nó.",
                            "No vertical datum is stated: levels used later must be in that of the terrain."))
        for sentence in told:
            feedback.pushWarning(sentence)
        card = self._card(
            rules, ground, datum, self.parameterAsString(parameters, "SOURCE_NOTE", context).strip(), told
        )
        found = prepare_terrain(ground, rules, part(progress, 0.1, 0.75))
        model = write_model(found, self.folder, card, part(progress, 0.75, 1.0))
        numbers = model.card["found"]
        feedback.pushInfo(
            say("{reaches} đoạn sông, {km} km, {basins} lưu vực; {floors} chỗ trũng: cắt {cut} ô, lấp {filled} ô. {lost} ô "
                "thoát ra mép không qua dòng chảy nào: không có HAND.",
                "{reaches} reaches, {km} km, {basins} basins; {floors} depressions: {cut} cells cut, {filled} filled. {lost} "
                "cells drain off the edge without a stream: no HAND.")
            .format(reaches=format_number(numbers["reaches"]), km=format_number(numbers["stream_km"], 1),
                    basins=format_number(numbers["basins"]), floors=format_number(numbers["depressions"]),
                    cut=format_number(numbers["cut_cells"]), filled=format_number(numbers["filled_cells"]),
                    lost=format_number(numbers["cells_without_stream"])))
        return {"OUTPUT": self.folder, "REACHES": numbers["reaches"], "STREAM_KM": numbers["stream_km"],
                "CUT_CELLS": numbers["cut_cells"], "FILLED_CELLS": numbers["filled_cells"], "HOLES": ground.hole_count}

    def _draw_lines(self, ground: Ground) -> list[str]:
        """Draw dykes, culverts and rivers, in this order; return what to tell about them."""
        from ...common.crs import to_crs
        from ...common.geometry import clean
        from .terrain_ground import draw_culverts, draw_dykes, draw_rivers

        told: list[str] = []
        for key in ("DYKES", "CULVERTS", "RIVERS"):
            if key not in self.lines:
                continue
            layer = self.lines[key]
            fields = [self.crest_field] if key == "DYKES" and self.crest_field else []
            frame, report = clean(layer.read(fields), "line", self.invalid, layer.name)
            told += report.sentences()
            frame = to_crs(frame, ground.grid.crs_wkt)
            if key == "DYKES":
                draw_dykes(ground, frame, self.crest_field)
            elif key == "CULVERTS":
                draw_culverts(ground, frame)
            else:
                draw_rivers(ground, frame)
            drawn = getattr(ground, key.lower()[:-1])
            if not drawn.any():
                told.append(say("Lớp {layer} không chạm ô nào của địa hình; kiểm tra hệ tọa độ của hai lớp.",
                                "Layer {layer} touches no cell of the terrain; check the CRS of both.")
                            .format(layer=layer.name))
        return told

    def _card(self, rules: Rules, ground: Ground, datum: str, source: str, told: list[str]) -> dict[str, Any]:
        """What the model says of itself."""
        from .terrain_model import sha256

        path = Path(self.terrain.path)
        is_file = path.is_file()
        return {
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "terrain": {"name": self.terrain.name, "path": str(path) if is_file else self.terrain.path,
                        "bytes": path.stat().st_size if is_file else None, "sha256": sha256(path) if is_file else None,
                        "source": source or "UNSTATED", "vertical_datum": datum or "UNSTATED",
                        "error_m": self.terrain_error},
            "lines": {key.lower(): layer.name for key, layer in self.lines.items()},
            "parameters": {"stream_area_km2": rules.stream_area_km2, "breach_cells": rules.breach_cells,
                           "breach_depth_m": rules.breach_depth_m, "river_burn_m": rules.river_burn_m,
                           "dyke_crest_field": self.crest_field},
            "holes": {"count": ground.hole_count, "cells": int(len(ground.holes))},
            "cells_raised_to_crest": ground.crest_raised, "assumed": told,
        }


def _require_usable(reader: RasterReader, name: str) -> None:
    """Refuse a system that is neither in metres nor in degrees."""
    import pyproj

    from ...common.crs import require_metric

    crs = pyproj.CRS.from_wkt(reader.grid.crs_wkt)
    if not crs.is_geographic:
        require_metric(crs, name)


def _assumptions(reader: RasterReader, ground: Ground) -> list[str]:
    """What a person should know about how the terrain was read."""
    import numpy as np
    import pyproj

    told = []
    if pyproj.CRS.from_wkt(reader.grid.crs_wkt).is_geographic:
        told.append(say("Địa hình ở độ kinh vĩ: khoảng cách và diện tích tính trên ellipsoid theo vĩ độ từng hàng.",
                        "The terrain is in degrees: lengths and areas are those of the ellipsoid at each row's latitude."))
    if reader.grid.transform[2] or reader.grid.transform[4]:
        told.append(say("Raster xoay: hướng chảy tính theo hàng và cột của raster, không theo hướng bắc.",
                        "The raster is rotated: directions are in its rows and columns, not from north."))
    if reader.scaling is not None:
        told.append(say("Cao độ = giá trị lưu × {scale} + {offset}, như tệp ghi.",
                        "Heights = stored values × {scale} + {offset}, as the file states.")
                    .format(scale=format_number(reader.scaling[0], 4), offset=format_number(reader.scaling[1], 2)))
    if ground.hole_count:
        told.append(
            say(
                "{n} lỗ không có số liệu ({cells} ô): nước đi qua ở cao độ thấp nhất của bờ lỗ; độ sâu ở đó vẫn "
                "là không rõ.",
                "{n} holes without data ({cells} cells): water passes at the lowest height of the rim; depths there "
                "stay unknown.",
            ).format(n=format_number(ground.hole_count), cells=format_number(len(ground.holes)))
        )
    with np.errstate(invalid="ignore"):
        whole = all((np.isnan(row) | (row == np.round(row))).all() for row in ground.z)
    if whole:
        told.append(say("Cao độ là số nguyên mét: HAND và độ sâu không mịn hơn 1 m.",
                        "Heights are whole metres: HAND and depths are no finer than 1 m."))
    return told
