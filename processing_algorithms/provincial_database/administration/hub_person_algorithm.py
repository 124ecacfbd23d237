"""Processing algorithm ``quyhoach:hubperson``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterAuthConfig,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError
from ...common.language import say
from ...common.qgis_algorithm import QuyHoachAlgorithm
from ...common.qgis_hub_parameters import hub_location, hub_parameter


class HubPersonAlgorithm(QuyHoachAlgorithm):
    """A person of a shared database; see `offices.set_person`."""

    ID = "hubperson"
    ROOM = "provincial_database"
    TAGS = ("hub", "csdl", "rights", "phân quyền", "tài khoản", "người dùng", "quản trị")

    def title(self) -> str:  # noqa: D102
        return say("Cấp quyền cho người dùng", "Let a person in")

    def help(self) -> str:  # noqa: D102
        return say(
            "Đưa một người vào cơ sở dữ liệu dùng chung PostGIS: thuộc những cơ quan nào, được xem tới mức bảo mật nào; hoặc đưa ra.\n\n"
            "Tài khoản chưa có trên máy chủ thì được tạo. Mật khẩu không bao giờ là tham số, vì tham số được ghi vào nhật ký: lưu nó trong kho xác thực của "
            "QGIS rồi chọn ở đây (chỉ mã của mục được ghi lại), máy chủ chỉ nhận bản băm; không chọn thì đặt sau bằng psql. Quyền của cơ quan do \"Phân "
            "quyền cho cơ quan\" đặt. Chạy lại với cơ quan khác thì thay các cơ quan cũ. Đưa ra: tài khoản trên máy chủ và lịch sử còn nguyên.",
            "Lets a person into a shared database in PostGIS: in which departments, seeing up to which secrecy level; or takes them out.\n\n"
            "An account the server lacks is made. A password is never a parameter, because parameters are logged: keep it in QGIS's authentication store "
            "and choose it here (only the entry's id is logged); the server gets a hash. Without one it is set later in psql. What a department may do is "
            "set by \"Give a department its rights\". Run again, other departments replace the earlier ones. Taking out leaves the account on the "
            "server and the history as they are.")

    def parameters(self) -> list[Any]:  # noqa: D102
        from .offices import SECRECY_LEVELS, secrecy_label

        return [
            hub_parameter(),
            ask.text("LOGIN", say("Tài khoản", "Account"),
                     say("Tên đăng nhập: chữ thường không dấu, số; để trống thì lấy tên trong mục xác thực.",
                         "Login name: lower-case letters without accents, digits; blank takes the one of the authentication entry."), optional=True),
            ask.text("DEPARTMENTS", say("Các cơ quan", "Departments"),
                     say("Tên tắt, cách nhau bằng dấu phẩy; đúng các cơ quan này và không cơ quan nào khác.",
                         "Short names separated by commas; these and no others."), optional=True),
            ask.choice("SECRECY", say("Mức bảo mật được xem", "Secrecy level"),
                       say("Trường và tập dữ liệu ở mức cao hơn thì không thấy. Dữ liệu cá nhân ở mức hạn chế.",
                           "Fields and datasets above it are not there. Personal data are restricted."),
                       [secrecy_label(level) for level in SECRECY_LEVELS]),
            ask.yes_no("ADMINISTRATOR", say("Là quản trị viên", "Administrator"),
                       say("Đọc, ghi tất cả; thêm cơ quan, người dùng; sao lưu, kiểm tra.", "Reads and writes all; adds departments and people; backs up, checks."),
                       advanced=True),
            ask.with_help(QgsProcessingParameterAuthConfig("AUTHENTICATION", say("Mục xác thực của QGIS", "QGIS authentication entry"), None, True),
                          say("Giữ tên và mật khẩu của tài khoản mới; chỉ mã của mục được ghi lại.",
                              "Holds name and password of a new account; only the entry's id is logged.")),
            ask.yes_no("REMOVE", say("Đưa người này ra", "Take this person out"),
                       say("Không còn vào được cơ sở dữ liệu dùng chung.", "No longer let into the shared database."), advanced=True),
            ask.table_output("OUTPUT", say("Danh sách người dùng", "People"),
                             say("Sau khi chạy: login, departments, secrecy, administrator (yes, no).",
                                 "Afterwards: login, departments, secrecy, administrator (yes, no)."), optional=True)]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputNumber("PEOPLE", say("Số người dùng", "Number of people"))]

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:  # noqa: D102
        stored, self.password = QgsAuthMethodConfig(), None
        entry = self.parameterAsString(parameters, "AUTHENTICATION", context).strip()
        if entry and not QgsApplication.authManager().loadAuthenticationConfig(entry, stored, True)[0]:
            raise InputError(say("Không đọc được mục xác thực {entry}; hãy mở khóa kho xác thực của QGIS hoặc chọn mục khác.",
                                 "The authentication entry {entry} cannot be read; unlock QGIS's authentication store or choose another.")
                             .format(entry=entry))
        self.login = self.parameterAsString(parameters, "LOGIN", context).strip() or stored.config("username")
        if not self.login:
            raise InputError(say("Hãy ghi tài khoản, hoặc chọn một mục xác thực có tên.", "Give the account, or choose an authentication entry with a name."))
        if entry and stored.config("username") != self.login:
            raise InputError(say("Mục xác thực {entry} là của tài khoản {other}, không phải {login}.",
                                 "The authentication entry {entry} is of the account {other}, not of {login}.")
                             .format(entry=entry, other=stored.config("username"), login=self.login))
        self.password = stored.config("password") or None

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ..hub import open_hub
        from .offices import SECRECY_LEVELS, people_table, remove_person, set_person

        names = self.parameterAsString(parameters, "DEPARTMENTS", context).replace(";", ",").split(",")
        with open_hub(hub_location(self, parameters, context)) as hub:
            if self.parameterAsBool(parameters, "REMOVE", context):
                remove_person(hub, self.login)
                done = [say("Đã đưa {login} ra.", "{login} is taken out.").format(login=self.login)]
            else:
                done = set_person(hub, self.login, departments=[name.strip() for name in names if name.strip()],
                                  secrecy=SECRECY_LEVELS[self.parameterAsEnum(parameters, "SECRECY", context)],
                                  administrator=self.parameterAsBool(parameters, "ADMINISTRATOR", context),
                                  password=self.password)
            table = people_table(hub)
        for sentence in done:
            feedback.pushInfo(sentence)
        return {"OUTPUT": self.write_layer(parameters, "OUTPUT", context, table), "PEOPLE": len(table)}
