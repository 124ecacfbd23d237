"""Processing algorithm ``quyhoach:hubgrant``."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputNumber

from ...common import qgis_parameters as ask
from ...common.errors import refuse_if
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import datasets_parameter, hub_location, hub_parameter, units_parameter


class HubGrantAlgorithm(QuyHoachAlgorithm):
    """A department of a shared database and what it may do; see `offices.set_department`."""

    ID = "hubgrant"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "rights", "phân quyền", "cơ quan", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Phân quyền cho cơ quan", "Give a department its rights")

    def help(self) -> str:  # noqa: D102
        return say(
            "Thêm một cơ quan vào cơ sở dữ liệu dùng chung, hoặc cấp thêm, thu hồi quyền của cơ quan đã có: đọc hay ghi tập dữ liệu nào, "
            "ở những xã, phường nào.\n\n"
            "Trên PostGIS, quyền nằm trong cơ sở dữ liệu nên có hiệu lực với mọi chương trình: dòng ngoài quyền thì không thấy, ghi ngoài quyền thì "
            "bị từ chối. Người dùng được đưa vào cơ quan bằng \"Cấp quyền cho người dùng\". Trong tệp GeoPackage, ai có tệp thì làm được tất cả; quyền chỉ ngăn "
            "gửi nhầm: đợt cập nhật phải ghi đúng cơ quan (DEPARTMENT). Tập dữ liệu không chia theo xã thì cơ quan chỉ có một số xã đọc được mà "
            "không ghi được. Chạy nhiều lần để cấp quyền khác nhau cho từng tập dữ liệu.",
            "Adds a department to the shared database, or gives one that is there more rights or takes them away: which datasets it reads "
            "or writes, in which communes.\n\n"
            "In PostGIS rights are kept in the database and hold for every program: rows out of its rights are not there, writing beyond them is "
            "refused. People join a department by \"Let a person in\". In a GeoPackage file, who has the file can do anything; there rights only "
            "stop what is sent by mistake: a changeset has to name its department (DEPARTMENT). Datasets not divided by communes are read, not written, "
            "by a department of some communes. Run it several times for different rights by dataset.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from ..catalogue.model import DEPARTMENTS
        from .offices import kind_label

        return [
            hub_parameter(),
            ask.text("DEPARTMENT", say("Tên tắt của cơ quan", "Short name of the department"),
                     say("Chữ thường không dấu, số và gạch dưới, ví dụ so_xay_dung, phuong_thuan_hoa.",
                         "Lower-case letters without accents, digits and underscores, such as construction, ward_thuan_hoa.")),
            ask.text("LABEL", say("Tên đầy đủ", "Full name"),
                     say("Ví dụ Sở Xây dựng; để trống khi cơ quan đã có và không đổi tên.",
                         "Such as Department of Construction; blank for one that is there and keeps its name."), optional=True),
            ask.choice("KIND", say("Loại cơ quan", "Kind of department"),
                       say("Danh mục dữ liệu ghi loại cơ quan nào được ghi tập dữ liệu nào. \"Giữ nguyên\" khi cơ quan đã có.",
                           "The catalogue says which kind writes which dataset. \"Unchanged\" for a department that is there."),
                       [say("Giữ nguyên", "Unchanged"), *(kind_label(kind) for kind in DEPARTMENTS)]),
            ask.choice("ACCESS", say("Quyền", "Rights"),
                       say("Quyền cấp cho các tập dữ liệu và xã, phường đã chọn.", "What is given in the datasets and communes chosen."),
                       [say("Đọc tất cả, ghi những tập của loại cơ quan này", "Read all, write what belongs to this kind"), say("Chỉ đọc", "Read"),
                        say("Đọc và ghi", "Read and write"), say("Thu hồi mọi quyền", "Take all rights away")]),
            datasets_parameter(), units_parameter(),
            ask.yes_no("ANEW", say("Bỏ các quyền đã cấp trước", "Take away earlier rights first"),
                       say("Chỉ giữ những quyền cấp lần này.", "Only what is given now remains."), advanced=True),
            ask.table_output("OUTPUT", say("Bảng phân quyền", "Rights"),
                             say("Mọi quyền sau khi chạy: department, label, kind, dataset, commune (trống là tất cả), access (read, write).",
                                 "All rights afterwards: department, label, kind, dataset, commune (empty is all), access (read, write)."),
                             optional=True)]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("RIGHTS", say("Số quyền của mọi cơ quan", "Rights of all departments"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        from ..working_copies.scopes import commune_codes

        self.units, problems = commune_codes(self.parameterAsString(parameters, "UNITS", context))
        refuse_if(problems)

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..catalogue.model import DEPARTMENTS
        from ..hub import chosen_datasets, open_hub
        from .offices import Access, rights_table, set_department

        named = self.parameterAsString(parameters, "DATASETS", context).strip()
        with open_hub(hub_location(self, parameters, context)) as hub:
            done = set_department(
                hub, self.parameterAsString(parameters, "DEPARTMENT", context).strip(),
                label=self.parameterAsString(parameters, "LABEL", context),
                kind=("", *DEPARTMENTS)[self.parameterAsEnum(parameters, "KIND", context)],
                access=Access(self.parameterAsEnum(parameters, "ACCESS", context)),
                datasets=chosen_datasets(hub.datasets, named) if named else None, communes=self.units,
                anew=self.parameterAsBool(parameters, "ANEW", context))
            table = rights_table(hub)
        for sentence in done:
            feedback.pushInfo(sentence)
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table), "RIGHTS": len(table)}
