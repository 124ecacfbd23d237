"""Processing algorithm ``quyhoach:bulletin``."""

from __future__ import annotations

import datetime
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError, noted, refuse_if
from ...common.language import say
from ...common.numbers_vi import parse_date
from ...common.qgis_algorithm import QuyHoachAlgorithm

#: Values of ON_QUESTION and READINGS, in the order of the dialog.
STOP, LEAVE_OUT = 0, 1


def bulletin_parameters() -> list[Any]:
    """TEXT and FILE, for every algorithm that starts from a bulletin; `given_bulletin` reads them."""
    text = ask.text(
        "TEXT",
        say("Bản tin", "Bulletin"),
        say("Dán nguyên văn bản tin, bảng hoặc tin nhắn.", "Paste the bulletin, table or message as it is."),
        optional=True,
    )
    text.setMultiLine(True)
    return [text, ask.with_help(QgsProcessingParameterFile(
        "FILE", say("Hoặc tệp bản tin", "Or a bulletin file"), Qgis.ProcessingFileParameterBehavior.File, "", None, True,
        say("Bản tin (*.txt *.docx *.xlsx)", "Bulletins (*.txt *.docx *.xlsx)")),
        say("Tệp .txt (UTF-8), .docx hoặc .xlsx; chỉ dùng khi không dán nội dung.",
            "A .txt (UTF-8), .docx or .xlsx file; used only where no text is pasted."))]


def date_parameter() -> Any:
    """REFERENCE_DATE, beside `bulletin_parameters`."""
    return ask.text("REFERENCE_DATE", say("Ngày của bản tin", "Date of the bulletin"),
                    say("Dùng khi bản tin không ghi năm hoặc ngày; để trống: hôm nay.",
                        "Where the bulletin writes no year or day; empty: today."), optional=True, advanced=True)


def given_bulletin(
    algorithm: QuyHoachAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, problems: list[str]
) -> tuple[str, datetime.date]:
    """The bulletin as text, pasted or from a file, and the day it is of; what is wrong with them goes to ``problems``."""
    from .bulletin_file import read_bulletin_file

    text = algorithm.parameterAsString(parameters, "TEXT", context)
    file = algorithm.parameterAsFile(parameters, "FILE", context)
    day = datetime.date.today()
    if not text.strip() and not file:
        problems.append(say("Hãy dán bản tin hoặc chọn tệp bản tin.", "Paste a bulletin or choose its file."))
    elif not text.strip():
        with noted(problems):
            text = read_bulletin_file(file)
    if asked := algorithm.parameterAsString(parameters, "REFERENCE_DATE", context).strip():
        with noted(problems):
            day = parse_date(asked)
    return text, day


class BulletinAlgorithm(QuyHoachAlgorithm):
    """Levels read from a flood bulletin; see `bulletin`."""

    ID = "bulletin"
    ROOM = "disaster"
    TAGS = ("bản tin lũ", "mực nước", "báo động", "trạm thủy văn", "flood bulletin", "gauge", "alarm level")

    def title(self) -> str:  # noqa: D102
        return say("Đọc bản tin lũ", "Read a flood bulletin")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đọc mực nước, lưu lượng trong bản tin lũ được dán vào và gắn với các trạm.\n\n"
            "Hiểu được: \"Kim Long 3,58m, trên BĐ3 0,08m\", \"10,6-10,80m\", \"3m58\", \"358cm\", \"xấp xỉ báo động 2\", \"từ BĐ2 đến "
            "BĐ3\", \"lúc 7h/25/11\", lưu lượng xả hồ chứa, bảng dán từ Excel hoặc tin nhắn, có dấu hoặc không dấu. Lũ năm trước, biên độ, "
            "cường suất, lượng mưa không bị lấy nhầm.\n\n"
            "Kiểm tra: mực nước phải khớp với phần \"trên BĐ…\" theo mực nước báo động của trạm, không cao vô lý so với lũ lịch sử, không có "
            "hai số khác nhau cho một thời điểm. Chỗ không chắc chắn được hỏi lại từng câu (ON_QUESTION), không bao giờ đoán.\n\n"
            "Mực nước (level) theo số \"0\" hoặc hệ độ cao của trạm; cao độ (height) = mực nước + cao độ số \"0\" của trạm nếu hệ độ cao của "
            "trạm là gauge_zero, để trống khi chưa biết số \"0\". Mét, m³/s, giờ Việt Nam. Lớp trạm dùng các trường của tập dữ liệu \"Trạm "
            "thủy văn\"; trạm không có hình vẫn được đọc. Kết quả dùng được ngay cho \"Tính độ sâu ngập từ mực nước trạm\" (trường height_m). "
            "Cấp độ rủi ro thiên tai không lấy từ đây.",
            "Reads levels and discharges in a pasted flood bulletin and ties them to stations.\n\n"
            "Understands \"Kim Long 3,58m, trên BĐ3 0,08m\", \"10,6-10,80m\", \"3m58\", \"358cm\", \"xấp xỉ báo động 2\", \"từ BĐ2 đến BĐ3\", "
            "\"lúc 7h/25/11\", reservoir releases, tables pasted from a spreadsheet or a chat, with or without diacritics. Floods of "
            "other years, rises, rates and rain are not taken for levels.\n\n"
            "Checks: a level must agree with \"above alarm …\" by the station's alarm levels, must not be absurdly above the record flood, and "
            "must not be told twice with two values. What is not certain is asked about sentence by sentence (ON_QUESTION), never "
            "guessed.\n\n"
            "Levels (level) are above the station's own zero or in its datum; heights (height) = level + gauge zero where the station's "
            "datum is gauge_zero, empty while that zero is unknown. Metres, m³/s, Vietnam's time. The stations have the fields of the "
            "dataset \"Gauge\"; stations without a shape are read too. The result goes straight into \"Flood depth from gauge levels\" "
            "(field height_m). The disaster risk level is not taken from here.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            *bulletin_parameters(),
            ask.layer("STATIONS", say("Trạm thủy văn", "Gauges"),
                      say("Các trạm của tỉnh với tên, mực nước báo động, hệ độ cao, số \"0\", lũ lịch sử: trường như tập dữ liệu \"Trạm thủy văn\".",
                          "The province's stations with name, alarm levels, datum, zero, record flood: fields as in the dataset \"Gauge\"."),
                      ask.POINTS),
            ask.choice("ON_QUESTION", say("Khi có chỗ không chắc chắn", "When something is not certain"),
                       say("Dừng lại và hỏi; hoặc bỏ riêng số liệu đó, vẫn ghi các số liệu còn lại và nêu câu hỏi trong nhật ký.",
                           "Stop and ask; or leave that figure out, write the others and tell the questions in the log."),
                       [say("Dừng và hỏi", "Stop and ask"), say("Bỏ số liệu đó, ghi phần còn lại", "Leave it out, write the rest")]),
            ask.choice("READINGS", say("Số liệu đưa vào kết quả", "Which readings"),
                       say("Mọi số liệu; hoặc mỗi trạm một mực nước: thực đo mới nhất, hay mực cao nhất kể cả dự báo.",
                           "All; or one level per station: the latest observed, or the highest, forecasts included."),
                       [say("Mọi số liệu", "All"), say("Thực đo mới nhất của mỗi trạm", "The latest observed of each station"),
                        say("Cao nhất của mỗi trạm, kể cả dự báo", "The highest of each station, forecasts included")]),
            date_parameter(),
            ask.layer_output("OUTPUT", say("Mực nước tại các trạm", "Levels at the stations"),
                             say("Mỗi số liệu một dòng: trạm, giờ, thực đo hay dự báo, mực nước và cao độ thấp/giữa/cao, so với báo động và lũ "
                                 "lịch sử, câu gốc.",
                                 "A row per reading: station, time, observed or forecast, low/middle/high level and height, against alarm "
                                 "levels and record flood, the sentence."),
                             Qgis.ProcessingSourceType.VectorPoint),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("READ", say("Số liệu đọc được", "Readings")),
                QgsProcessingOutputNumber("QUESTIONS", say("Số câu cần hỏi lại", "Questions")),
                QgsProcessingOutputString("QUESTION_TEXT", say("Các câu cần hỏi lại", "The questions"))]

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        problems: list[str] = []
        self.stations = self.layer(parameters, "STATIONS", context)
        with noted(problems):
            self.not_empty(self.stations)
        self.text, self.today = given_bulletin(self, parameters, context, problems)
        self.stop = self.parameterAsEnum(parameters, "ON_QUESTION", context) == STOP
        self.which = self.parameterAsEnum(parameters, "READINGS", context)
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .bulletin import read_bulletin
        from .bulletin_levels import chosen, reading_frame
        from .stations import FIELDS, read_stations

        layer = self.stations.read([f for f in FIELDS if f in self.stations.columns()])
        found = read_bulletin(self.text, read_stations(layer, self.stations.name), today=self.today)
        if found.questions and self.stop:
            raise InputError([say("Bản tin có {n} chỗ cần hỏi lại, chưa ghi kết quả:", "The bulletin leaves {n} questions; nothing is written:")
                              .format(n=len(found.questions)), *found.questions])
        for sentence in (*found.questions, *found.notes):
            feedback.pushWarning(sentence)
        readings = chosen(found.readings, self.which)
        output = self.write_layer(parameters, "OUTPUT", context, reading_frame(readings, layer), Qgis.WkbType.Point,
                                  style="disaster/gauge.qml")
        feedback.pushInfo(say("{n} số liệu ở {stations} trạm.", "{n} readings at {stations} stations.")
                          .format(n=len(readings), stations=len({r.station.name for r in readings})))
        return {
            "OUTPUT": output,
            "READ": len(readings),
            "QUESTIONS": len(found.questions),
            "QUESTION_TEXT": "\n".join(found.questions),
        }
