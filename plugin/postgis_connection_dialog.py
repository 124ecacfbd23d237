"""A connection to the server of the shared database, stored in QGIS under a name, without a password."""

from __future__ import annotations

from qgis.core import QgsDataSourceUri, QgsProviderRegistry
from qgis.gui import QgsAuthConfigSelect
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.language import say

_PORT = "5432"


class PostgisConnectionDialog(QDialog):
    """What a planner is told by the administrator: server, database, user. Other programs of QGIS see the connection too."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("postgis_connection")
        self.setWindowTitle(say("Kết nối máy chủ PostgreSQL mới", "New PostgreSQL connection"))
        self.name, self.host, self.port, self.database, self.user = (
            QLineEdit(),
            QLineEdit(),
            QLineEdit(_PORT),
            QLineEdit(),
            QLineEdit(),
        )
        for widget, name, hint in (
                (self.name, "connection_name", say("Ví dụ: Cơ sở dữ liệu của tỉnh", "For example: province")),
                (self.host, "host", say("Tên hoặc địa chỉ IP của máy chủ", "Name or IP address of the server")),
                (self.port, "port", ""),
                (self.database, "database", say("Do quản trị viên cho biết", "As told by the administrator")),
                (self.user, "user", say("Để trống: hỏi khi đăng nhập", "Blank: asked at sign-in"))):
            widget.setObjectName(name)
            widget.setPlaceholderText(hint)
            widget.textChanged.connect(self._check)
        self.encryption = QComboBox()
        for text, mode in (
            (say("mã hóa nếu máy chủ có", "encrypted where the server can"), QgsDataSourceUri.SslMode.SslPrefer),
            (say("bắt buộc mã hóa", "always encrypted"), QgsDataSourceUri.SslMode.SslRequire),
            (
                say("bắt buộc mã hóa, kiểm tra chứng thư máy chủ", "always encrypted, certificate checked"),
                QgsDataSourceUri.SslMode.SslVerifyFull,
            ),
        ):
            self.encryption.addItem(text, mode)
        self.store = QgsAuthConfigSelect(self, "postgres")
        form = QFormLayout()
        for text, widget in (
            (say("Tên kết nối", "Name"), self.name),
            (say("Máy chủ", "Server"), self.host),
            (say("Cổng", "Port"), self.port),
            (say("Cơ sở dữ liệu", "Database"), self.database),
            (say("Tên đăng nhập", "User"), self.user),
            (say("Đường truyền", "Line"), self.encryption),
            (say("Kho xác thực của QGIS", "QGIS's authentication store"), self.store),
        ):
            form.addRow(text, widget)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        note = QLabel(say("Mật khẩu không lưu ở đây: được hỏi khi đăng nhập, hoặc chọn một cấu hình trong kho xác thực (có mật khẩu chủ).",
                          "No password is stored here: it is asked for at sign-in, or comes from the authentication store (under a master "
                          "password)."))
        note.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setText(say("Lưu và kết nối", "Save and connect"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(say("Thôi", "Cancel"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.resize(480, self.sizeHint().height())
        self._known = set(QgsProviderRegistry.instance().providerMetadata("postgres").connections(False))
        self._check()

    def _check(self) -> None:
        name, port = self.name.text().strip(), self.port.text().strip()
        problem = ""
        if name in self._known:
            problem = say(
                "Đã có kết nối tên này; hãy đặt tên khác.", "There is a connection of this name; take another."
            )
        elif port and not port.isdigit():
            problem = say("Cổng là một số, thường là 5432.", "The port is a number, mostly 5432.")
        elif "/" in name:
            problem = say("Tên kết nối không được có dấu \"/\".", "The name cannot have a \"/\".")
        self.problem.setText(problem)
        given = all(field.text().strip() for field in (self.name, self.host, self.database))
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(given and not problem)

    def accept(self) -> None:
        """Store the connection."""
        uri = QgsDataSourceUri()
        uri.setConnection(self.host.text().strip(), self.port.text().strip() or _PORT, self.database.text().strip(), self.user.text().strip(), "",
                          self.encryption.currentData(), self.store.configId())
        metadata = QgsProviderRegistry.instance().providerMetadata("postgres")
        connection = metadata.createConnection(uri.uri(False), {"saveUsername": True, "savePassword": False})
        metadata.saveConnection(connection, self.name.text().strip())
        super().accept()
