"""Processing algorithm ``quyhoach:floodscenario``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber, QgsProcessingOutputString

from ...common import qgis_parameters as ask
from ...common.errors import InputError, OutputError, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ..depth.depth_fit_algorithm import Marks, fit_outputs, fit_results, marks_parameters


class FloodScenarioAlgorithm(QuyHoachAlgorithm):
    """The depth of the nearest scenarios; see `scenario_interpolation`."""

    ID = "floodscenario"
    ROOM = "disaster"
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "scipy")
    TAGS = ("kịch bản ngập", "xả lũ", "hồ chứa", "nội suy", "scenario", "reservoir release")

    def title(self) -> str:  # noqa: D102
        return say("Tìm kịch bản ngập theo mực nước, lưu lượng xả", "Find a flood scenario for levels or releases")

    def help(self) -> str:  # noqa: D102
        return say(
            "Tìm trong thư viện các kịch bản gần nhất với mực nước trạm hoặc lưu lượng xả đã cho và nội suy độ sâu ngập giữa hai kịch bản.\n\n"
            "Phương pháp: chọn cặp kịch bản thấp hơn - cao hơn có đoạn nối gần giá trị đã cho nhất; mặt nước đi đều giữa hai kịch bản; ô chỉ ngập ở kịch bản cao rút theo "
            "chênh lệch mặt nước của ô gần nhất ngập ở cả hai. Lưu lượng so theo logarit. Ngoài khoảng của thư viện: dùng nguyên kịch bản gần nhất và nêu phần chênh, không ngoại "
            "suy.\n\n"
            "OUTPUT_RANGE: kịch bản thấp và kịch bản cao (không thư viện nào biết đê tràn đúng lúc nào giữa hai kịch bản). Mét; 0 = không ngập, không dữ liệu = chưa rõ.",
            "Finds the scenarios of a library nearest to the given station levels or releases, and interpolates the depth between two of them.\n\n"
            "Method: the pair, one lower and one higher, whose segment passes nearest to what was given; the water surface goes evenly between the two; a cell only the higher one "
            "floods falls by the difference of the surface at the nearest cell wet in both. Releases are compared by their logarithm. Outside the library the nearest scenario is "
            "used as it is and the difference told; nothing is extrapolated.\n\n"
            "OUTPUT_RANGE: the lower and the higher scenario (no library knows when between the two a dyke overtops). Metres; 0 = dry, nodata = unknown.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            ask.folder("LIBRARY", say("Thư mục thư viện kịch bản", "Folder of the library"), say("Do \"Nhập bản đồ ngập có sẵn\" tạo ra.", "Made by \"Import a flood map made elsewhere\".")),
            ask.text("KEYS", say("Mực nước trạm, lưu lượng xả", "Station levels, releases"),
                     say("Ví dụ \"Kim Long = 3,7 m; Hương Điền = 1500 m3/s\". Để trống nếu chọn lớp mực nước.", "Such as \"Kim Long = 3,7 m; Hương Điền = 1500 m3/s\". Empty if a layer is chosen."), optional=True),
            ask.layer("LEVELS", say("Hoặc kết quả đọc bản tin", "Or the result of a bulletin"), say("Lớp của \"Đọc bản tin lũ\" (name, level_m, discharge_*).", "The layer of \"Read a flood bulletin\" (name, level_m, discharge_*)."),
                      ask.POINTS, optional=True),
            *marks_parameters(),
            ask.raster_output("OUTPUT", say("Độ sâu ngập (m)", "Flood depth (m)"), say("GeoTIFF: 0 = không ngập, không dữ liệu = chưa rõ; kịch bản và tỷ lệ nội suy trong thẻ.", "GeoTIFF: 0 = dry, nodata = unknown; scenarios and share in its tags.")),
            ask.raster_output("OUTPUT_RANGE", say("Khoảng độ sâu thấp - cao (m)", "Range of depth, low - high (m)"), say("Hai kênh: kịch bản thấp và kịch bản cao.", "Two bands: the lower and the higher scenario."), optional=True),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [
            QgsProcessingOutputString("LOWER", say("Kịch bản thấp hơn", "Lower scenario")),
            QgsProcessingOutputString("HIGHER", say("Kịch bản cao hơn", "Higher scenario")),
            QgsProcessingOutputNumber("SHARE", say("Tỷ lệ nội suy (0-1)", "Share of the way (0-1)")),
            *fit_outputs(),
        ]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .scenario_library import open_library, parse_keys

        problems: list[str] = []
        self.paths = [
            self.parameterAsOutputLayer(parameters, key, context) if parameters.get(key) else None
            for key in ("OUTPUT", "OUTPUT_RANGE")
        ]
        problems += [
            say("Tệp raster kết quả phải có đuôi .tif: {path}", "The raster output must end in .tif: {path}").format(
                path=path
            )
            for path in self.paths
            if path is not None and not path.lower().endswith((".tif", ".tiff"))
        ]
        if problems:
            raise OutputError(problems[0])
        with noted(problems):
            self.library = open_library(self.parameterAsString(parameters, "LIBRARY", context), check=False)
        text = self.parameterAsString(parameters, "KEYS", context)
        with noted(problems):
            self.levels = self.layer(parameters, "LEVELS", context)
            if self.levels is not None and "name" not in self.levels.columns():
                raise InputError(say("Lớp {layer} không có trường name, level_m của kết quả đọc bản tin.", "Layer {layer} lacks the fields name, level_m of a read bulletin.").format(layer=self.levels.name))
        with noted(problems):
            self.keys = ({}, {}) if self.levels is not None and not text.strip() else parse_keys(text)
        with noted(problems):
            self.marks = Marks(self, parameters, context, has_terrain=False)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from contextlib import ExitStack

        from ...common.progress import part
        from ...common.raster import open_raster
        from ...common.raster_writing import write_raster
        from .scenario_interpolation import between, find_scenarios
        from .scenario_library import open_library

        levels, releases = self._wanted()
        match = find_scenarios(self.library, levels, releases)
        open_library(self.library.folder)  # now that it is used: are its files whole?
        for note in match.notes:
            feedback.pushWarning(note)
        lower, higher = match.lower, match.higher or match.lower
        progress, name = self.progress(feedback), say("Kịch bản", "Scenario")
        tags = {"QUYHOACH_ALGORITHM": "floodscenario", "METHOD": "SCENARIOS", "LOWER": lower.name, "HIGHER": higher.name, "SHARE": f"{match.share:.4f}",
                "LEVELS_M": "; ".join([*(f"{k}: {v:g}" for k, v in levels.items()), *(f"{k}: {v:g} m3/s" for k, v in releases.items())]), "TIME": "SCENARIO",
                "VERTICAL_DATUM": lower.about.get("VERTICAL_DATUM", "UNSTATED")}
        with ExitStack() as opened:
            low, high = (
                opened.enter_context(open_raster(self.library.folder / s.depth, name=name)) for s in (lower, higher)
            )
            writer = opened.enter_context(
                write_raster(self.paths[0], low.grid, description=say("Độ sâu ngập", "Flood depth"))
            )
            between(low, high, match.share, writer.write, part(progress, 0.0, 0.7))
            writer.tag(tags)
            if self.paths[1] is not None:
                ends = opened.enter_context(write_raster(self.paths[1], low.grid, description=(
                    say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))))
                for window in low.grid.strips():
                    ends.write(window, low.read(window), high.read(window))
                ends.tag({**tags, "BANDS": "LOW; HIGH"})
            progress(1.0)
        feedback.pushInfo(say("Kịch bản \"{low}\" và \"{high}\", nội suy {share} % đường từ thấp đến cao.", "Scenarios \"{low}\" and \"{high}\", {share} % of the way from the lower to the higher.")
                          .format(low=lower.name, high=higher.name, share=format_number(100 * match.share)))
        fit, _ = self.marks.fit(self.paths[0], None, feedback)
        self.style_on_load(context, self.paths[0], "disaster/flood_depth.qml")
        results = {
            "OUTPUT": self.paths[0],
            "LOWER": lower.name,
            "HIGHER": higher.name,
            "SHARE": match.share,
            **fit_results(fit),
        }
        return results if self.paths[1] is None else {**results, "OUTPUT_RANGE": self.paths[1]}

    def _wanted(self) -> tuple[dict[str, float], dict[str, float]]:
        """Levels and releases typed, and those of the bulletin; typed ones go before."""
        levels, releases = dict(self.keys[0]), dict(self.keys[1])
        if self.levels is None:
            return levels, releases
        frame = self.levels.read()
        for row in frame.to_dict("records"):
            level, low, high = row.get("level_m"), row.get("discharge_low_m3s"), row.get("discharge_high_m3s")
            if level is not None and level == level:
                levels.setdefault(row["name"], float(level))
            elif low is not None and low == low and row.get("discharge_kind") != "inflow":
                releases.setdefault(row["name"], (float(low) + float(high)) / 2)
        return levels, releases
