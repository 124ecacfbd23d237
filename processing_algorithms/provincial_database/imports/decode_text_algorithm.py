"""Processing algorithm ``quyhoach:decodetext``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterField,
)
from qgis.PyQt.QtCore import QMetaType

from ...common import qgis_parameters as ask
from ...common.errors import noted, refuse_if
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_destinations import file_destination
from ...common.qgis_feature_writing import write_features
from ...common.qgis_file_reading import INTEGERS, stored_names

if TYPE_CHECKING:
    import geopandas

#: Features read as evidence around a selection, where a file cannot be read at once.
_EVIDENCE = 5000


class DecodeTextAlgorithm(QuyHoachAlgorithm):
    """Texts and names of fields of any layer in Unicode; see `decode_text`."""

    ID = "decodetext"
    ROOM = "provincial_database"
    TAGS = ("TCVN3", "ABC", "VNI", "VnTime", ".VnTime", ".VnTimeH", "VNI-Times", "unicode", "font", "phông", "bảng mã", "chuyển mã", "chuyen ma",
            "lỗi font", "loi font", "legacy", "encoding", "decode", "NFC")

    def title(self) -> str:  # noqa: D102
        return say("Chuyển mã chữ TCVN3, VNI sang Unicode", "Old Vietnamese texts to Unicode")

    def help(self) -> str:  # noqa: D102
        return say(
            "Chuyển chữ của một lớp hoặc bảng từ bảng mã cũ (TCVN3 hay ABC của phông .VnTime, VNI của phông VNI-Times) sang Unicode dựng sẵn "
            "(NFC). Hình, hệ tọa độ, thứ tự đối tượng, các trường khác, giá trị trống và kiểu trường giữ nguyên; lớp vốn đã là Unicode ra y "
            "như vào.\n\n"
            "Phương pháp: xét cả trường chứ không xét từng chữ, và xét chung mọi trường chữ của lớp cùng với tên trường. Chỉ coi là chắc chắn "
            "khi bảng 134 chữ cái biến nhiều từ không phải tiếng Việt thành từ có dạng tiếng Việt mà hầu như không có từ nào ngược lại; trường "
            "quá ít chữ thì theo các trường khác của lớp nếu các trường đó cùng một bảng mã. Chữ không dấu, m², Ø200, 5×3, tên nước ngoài và "
            "chữ Unicode không bị đổi; trường lẫn lộn thì chữ nào đọc được sẵn được giữ nguyên. Dữ liệu bị đọc theo windows-1252, "
            "windows-1258, hoặc UTF-8 đọc nhầm đều nhận ra; shapefile không ghi bảng mã (thiếu .cpg) mà QGIS hiện toàn ký tự lạ thì được đọc lại "
            "từ tệp, kể cả tên trường. Khi chỉ chạy phần đang chọn, cả lớp vẫn được xét làm căn cứ. Nhật ký ghi rõ trường nào, bảng mã nào, bao "
            "nhiêu đối tượng, ví dụ trước và sau.\n\n"
            "Chữ hoa TCVN3: chỉ Ă, Â, Ê, Ô, Ơ, Ư, Đ có mã riêng; phông .VnTimeH dùng mã chữ thường. Vì vậy từ nào có từ hai chữ cái không dấu "
            "trở lên đều viết hoa thì thành chữ hoa (Hµ NéI: HÀ NỘI), còn lại là chữ thường (Hµ Néi: Hà Nội). Lớp dùng phông .VnTimeH mà gõ chữ "
            "thường sẽ ra chữ thường; cần thì đổi bằng hàm upper() của QGIS. VNI có dấu riêng cho chữ hoa nên giữ đúng.\n\n"
            "Giới hạn: chữ đã thành dấu hỏi hoặc ký tự thay thế ngay trong dữ liệu thì không khôi phục được, chỉ báo trong nhật ký. VIQR, VPS, "
            "VISCII không được nhận. Trường không phải kiểu chữ và trường danh sách giữ nguyên. Tên trường trong shapefile chỉ có 10 byte: tên "
            "Unicode nào dài hơn được ghi không dấu; nên ghi ra GeoPackage. Cột fid trùng số hoặc không phải số nguyên, khi ghi ra "
            "GeoPackage, được đổi tên. Hình trống và hình không hợp lệ giữ nguyên. Không đổi lớp đầu vào.",
            "Converts the texts of a layer or table from an old encoding (TCVN3, also named ABC, of the .VnTime fonts; VNI of VNI-Times) to "
            "composed Unicode (NFC). Shapes, coordinate system, order of the features, other fields, nulls and kinds of fields stay; a layer in "
            "Unicode comes out as it went in.\n\n"
            "Method: whole fields are judged, not single texts, and all text fields of the layer together with the names of its fields. Certain "
            "means: a table of 134 letters makes words of Vietnamese shape out of many words that have none, and hardly any the other way "
            "round; a field with too few words goes with the other fields, where those agree on one encoding. Texts without diacritics, m², "
            "Ø200, 5×3, foreign names and Unicode are not touched; in a mixed field what reads as Vietnamese already is kept. Data shown as "
            "windows-1252, as windows-1258 or as UTF-8 read wrongly are all found; a shapefile that tells no encoding (no .cpg), of which QGIS "
            "shows replacement characters only, is read again from the file, names of fields too. With selected features only, the whole layer "
            "is still looked at as evidence. The log says which field, which encoding, how many features, with an example before and after.\n\n"
            "Capitals of TCVN3: only seven letters with a hat, breve, horn or stroke have codes of their own; the font .VnTimeH draws capitals "
            "on the codes of small letters. So a word whose plain letters (two at least) are all capitals gets capitals, and all others small "
            "letters. A layer typed in small letters for .VnTimeH comes out in small letters; QGIS's upper() makes them capitals. VNI has marks "
            "for capitals, which come back as they were.\n\n"
            "Limits: letters that became question marks or replacement characters in the data itself cannot be brought back; the log tells "
            "them. VIQR, VPS and VISCII are not known. Fields of other kinds, lists too, stay. Names of fields in a shapefile have 10 bytes: a "
            "longer Unicode name is written without diacritics; a GeoPackage takes them whole. A column fid with repeated or other than whole "
            "numbers gets another name in a GeoPackage. Null and invalid shapes stay as they are. The input is not changed.")

    def parameters(self) -> list[Any]:  # noqa: D102
        fields = QgsProcessingParameterField(
            "FIELDS", say("Các trường cần chuyển", "Fields to convert"), None, "INPUT", Qgis.ProcessingFieldParameterDataType.String, True, True)
        return [
            ask.layer("INPUT", say("Lớp hoặc bảng", "Layer or table"),
                      say("Lớp vector bất kỳ, hoặc bảng không có hình; bộ lọc và phần đang chọn được giữ.",
                          "Any vector layer, or a table without shapes; its filter and selection count."), ask.TABLES),
            ask.with_help(fields, say("Chỉ các trường kiểu chữ. Để trống: mọi trường chữ của lớp.",
                                      "Text fields only. Empty: all text fields of the layer.")),
            ask.old_text(),
            ask.yes_no("RENAME_FIELDS", say("Chuyển cả tên trường", "Names of fields too"),
                       say("Tên trường theo bảng mã cũ cũng thành Unicode; tên trùng được đánh số (_2, _3).",
                           "Names of fields in an old encoding become Unicode, too; a name that is taken gets a number (_2, _3)."), default=True),
            ask.layer_output("OUTPUT", say("Lớp chữ Unicode", "Layer in Unicode"),
                             say("Mọi trường của lớp vào, cùng thứ tự và kiểu; chữ ở Unicode.",
                                 "All fields of the input in their order and kind; texts in Unicode."), Qgis.ProcessingSourceType.Vector),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber(key, label) for key, label in (
            ("CONVERTED", say("Số giá trị đã đổi", "Values changed")),
            ("CONVERTED_FIELDS", say("Số trường có giá trị đã đổi", "Fields with changed values")),
            ("RENAMED_FIELDS", say("Số trường đã đổi tên", "Fields renamed")))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        self.input = self.layer(parameters, "INPUT", context)
        value = parameters["INPUT"]
        # Few words are no proof: the whole layer tells what a selection is written in.
        self.whole = replace(self.layer({"INPUT": value.source}, "INPUT", context), limit=_EVIDENCE) \
            if isinstance(value, QgsProcessingFeatureSourceDefinition) else self.input
        source = self.parameterAsSource(parameters, "INPUT", context)
        self.kind, self.target = source.wkbType(), file_destination(parameters, "OUTPUT", context) or ""
        fields = self.input.fields
        self.texts = [field.name() for field in fields if field.type() == QMetaType.Type.QString]
        asked = self.parameterAsStrings(parameters, "FIELDS", context)
        places = {name: fields.lookupField(name) for name in asked}
        self.wanted = [fields.at(place).name() for place in places.values() if place >= 0] or self.texts
        problems: list[str] = []
        with noted(problems):
            self.not_empty(self.input)
        refuse_if([
            *problems,
            *(say("Lớp {layer} không có trường \"{field}\"; các trường hiện có: {names}.",
                  "Layer {layer} has no field \"{field}\"; its fields are: {names}.")
              .format(layer=self.input.name, field=name, names=", ".join(self.input.columns()) or "-")
              for name, place in places.items() if place < 0),
            *(say("Trường \"{field}\" không phải kiểu chữ; hãy chọn trong: {names}.",
                  "The field \"{field}\" holds no texts; choose among: {names}.").format(field=name, names=", ".join(self.texts) or "-")
              for name, place in places.items() if place >= 0 and fields.at(place).name() not in self.texts),
            say("Bảng không có hình thì không ghi được ra shapefile; hãy chọn tệp .gpkg hoặc .csv.",
                "A table without shapes cannot be a shapefile; choose a .gpkg or .csv file.")
            if self.target.lower().endswith(".shp") and self.kind == Qgis.WkbType.NoGeometry else ""])

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from .decode_text import layer_in_unicode, names_for_shapefile
        from .old_text import OldText

        progress = self.progress(feedback)
        frame, evidence = self._texts()
        progress(0.3)
        old_names = [field.name() for field in self.input.fields]
        if self.whole.file is not None and any("\ufffd" in name for name in old_names):
            stored = stored_names(self.whole.file) or []
            old_names = stored if len(stored) == len(old_names) else old_names
        done = layer_in_unicode(frame, self.wanted, old_names if self.parameterAsBool(parameters, "RENAME_FIELDS", context) else (),
                                old_text=OldText(self.parameterAsEnum(parameters, "OLD_TEXT", context)), evidence=evidence)
        names = [new if new != old else field.name() for new, old, field in zip(done.names, old_names, self.input.fields)] or self.input.fields.names()
        renamed = sum(new != old for new, old in zip(done.names, old_names))
        if self.target.lower().endswith(".shp"):
            fitting = names_for_shapefile(names, self.input.fields.names())
            if cut := [f'"{name}" → "{short}"' for name, short in zip(names, fitting) if name != short]:
                self.late_notes.append(say("Tên trường của shapefile chỉ có 10 byte, đã ghi: {names}. Tệp .gpkg giữ được tên đủ.",
                                           "Names of fields in a shapefile have 10 bytes, written: {names}. A .gpkg file keeps them whole.")
                                       .format(names="; ".join(cut)))
            names = fitting
        progress(0.5)
        fields = _renamed(self.input.fields, self._without_false_row_numbers(names))
        # What QGIS could not read is written as it was read here, whether it was converted or not.
        lost = self.whole.file is not None and self.whole.file.encoding == "utf-8"
        columns = self.texts if lost else list(done.converted)
        destination = write_features(self, parameters, "OUTPUT", context, self._features(done.frame, columns, fields), fields=fields,
                                     kind=self.kind, crs=self.input.qgis_crs, asked=self.asked(feedback))
        self.late_notes.extend(done.notes)
        if not done.notes:
            feedback.pushInfo(say("Không có chữ TCVN3, VNI nào; dữ liệu ra y như vào.", "There are no texts in TCVN3 or VNI; the data came out as they went in."))
        return {"OUTPUT": destination, "CONVERTED": sum(done.converted.values()), "CONVERTED_FIELDS": len(done.converted), "RENAMED_FIELDS": renamed}

    def _texts(self) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
        """Read the texts of the features that are asked for, and those that tell how they are written."""
        import pandas

        frame = self.input.read(self.texts, tell_encoding=False)
        if self.whole is self.input:
            return frame, frame
        evidence = self.whole.read(self.texts, tell_encoding=False)
        if self.whole.file is not None and frame.index.isin(evidence.index).all():
            return evidence.loc[frame.index], evidence  # with the letters QGIS lost
        return frame, pandas.concat([evidence, frame])

    def _features(self, frame: geopandas.GeoDataFrame, columns: list[str], fields: QgsFields) -> Iterator[QgsFeature]:
        """Give the features with some of their texts as in the frame."""
        rows = {number: row for row, number in enumerate(frame.index)}
        texts = [(self.input.fields.lookupField(name), frame[name].tolist()) for name in columns]
        for feature in self.input.features():
            row, values = rows[feature.id()], feature.attributes()
            for place, column in texts:
                if isinstance(column[row], str):
                    values[place] = column[row]
            feature.setFields(fields)
            feature.setAttributes(values)
            yield feature

    def _without_false_row_numbers(self, names: list[str]) -> list[str]:
        """Rename a column fid that cannot number the rows of a GeoPackage."""
        from ...common.columns import free_names

        place = next((place for place, name in enumerate(names) if name.lower() == "fid"), -1)
        if place < 0 or not self.target.lower().endswith(".gpkg"):
            return names
        request = QgsFeatureRequest() if self.input.expression else QgsFeatureRequest().setSubsetOfAttributes([place])
        numbers = [feature.attribute(place) for feature in self.input.features(request.setFlags(Qgis.FeatureRequestFlag.NoGeometry))]
        whole = [number for number in numbers if isinstance(number, int)]
        if self.input.fields.at(place).type() in INTEGERS and len(set(whole)) == len(whole):
            return names
        new = free_names(["fid_source"], names)["fid_source"]
        self.late_notes.append(say("Cột \"{old}\" không đánh số được các dòng của GeoPackage (trùng hoặc không phải số nguyên), đã đổi tên thành \"{new}\".",
                                   "The column \"{old}\" cannot number the rows of a GeoPackage (repeated or not whole), it was renamed \"{new}\".")
                               .format(old=names[place], new=new))
        return [*names[:place], new, *names[place + 1:]]


def _renamed(fields: QgsFields, names: list[str]) -> QgsFields:
    renamed = QgsFields()
    for one, name in zip(fields, names):
        copy = QgsField(one)
        copy.setName(name)
        renamed.append(copy)
    return renamed
