"""What the pages of the database dock share: which hub, which working copy, who is at the desk. Passwords stay in memory."""

from __future__ import annotations

import getpass
from pathlib import Path

from qgis.core import Qgis, QgsCredentials, QgsProviderRegistry, QgsSettings
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..processing_algorithms.common.addresses import is_postgis_location
from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_hub_parameters import resolved
from ..processing_algorithms.provincial_database.postgis.connection import SignInError, connect, parameters_of
from .tasks import Desk

_SETTINGS = "QuyHoach/database/"
_MOST_REMEMBERED = 8


class Session(QObject):
    """The state of the dock. Pages listen to its signals and never to each other."""

    hub_chosen = pyqtSignal()
    copy_chosen = pyqtSignal()
    #: The server of the hub lets this person in now.
    signed_in = pyqtSignal()
    #: The hub or the working copy has changed by our own doing.
    exchanged = pyqtSignal()

    def __init__(self, iface: QgisInterface):
        super().__init__()
        self.iface = iface
        self.desk = Desk(iface, say("Cơ sở dữ liệu dùng chung", "Shared database"))
        self.hub = ""
        self.copy = ""
        self._signed_in: dict[str, dict[str, str]] = {}
        self.desk.remedies[SignInError] = (say("Đăng nhập…", "Sign in…"), lambda: self.attempt(self.sign_in))

    # places -------------------------------------------------------------------------------------------------------

    def known_hubs(self) -> list[str]:
        """Places used before, and the PostgreSQL connections stored in QGIS; files that are gone are left out."""
        connections = sorted(QgsProviderRegistry.instance().providerMetadata("postgres").connections(False))
        return list(dict.fromkeys([*self._remembered("hubs"), *connections]))

    def known_copies(self) -> list[str]:
        """Working copies used before that are still there."""
        return self._remembered("copies")

    def choose_hub(self, place: str) -> None:
        """Work with another hub.

        Raises
        ------
        InputError
            An address that holds a password, or cannot be read; it is kept nowhere.
        """
        if is_postgis_location(place):
            parameters_of(place)
        self.hub = place.strip()
        if self.hub:
            self._remember("hubs", self.hub)
        self.hub_chosen.emit()

    def choose_copy(self, path: str, hub: str) -> None:
        """Work with a working copy, and with the hub it came from."""
        self.copy = path
        self._remember("copies", path)
        if hub != self.hub:
            self.attempt(lambda: self.choose_hub(hub))
        self.copy_chosen.emit()

    def _remembered(self, what: str) -> list[str]:
        places = QgsSettings().value(_SETTINGS + what, [], list)
        return [place for place in places if not place.lower().endswith(".gpkg") or Path(place).is_file()]

    def _remember(self, what: str, place: str) -> None:
        places = [place, *(known for known in self._remembered(what) if known != place)]
        QgsSettings().setValue(_SETTINGS + what, places[:_MOST_REMEMBERED])

    # hub ----------------------------------------------------------------------------------------------------------

    def hub_location(self) -> str | dict[str, str]:
        """Where the hub is, for `hub.open_hub`; in the main thread, which may have to ask for the master password.

        Raises
        ------
        InputError
            None is chosen.
        """
        if not self.hub:
            raise InputError(say("Chưa chọn cơ sở dữ liệu dùng chung; hãy chọn ở trang \"Dữ liệu dùng chung\".",
                                 "No shared database is chosen; choose one on the page \"Shared data\"."))
        return self._signed_in.get(self.hub) or resolved(self.hub)

    def on_server(self) -> bool:
        """Whether the hub is on a server, where one signs in."""
        return bool(self.hub) and (is_postgis_location(self.hub) or isinstance(resolved(self.hub), dict))

    def sign_in(self) -> None:
        """Ask for the account on the server and try it; what lets in is kept in memory until QGIS is closed.

        Raises
        ------
        InputError
            The hub is on no server.
        """
        if not self.on_server():
            raise InputError(
                say("Chỉ cơ sở dữ liệu trên máy chủ mới cần đăng nhập.", "Only a database on a server has a sign-in.")
            )
        place, where = self.hub, parameters_of(resolved(self.hub))
        known = self._signed_in.get(place, where).get("user", "")
        given, user, password = QgsCredentials.instance().get(
            place, known, "", say("Đăng nhập cơ sở dữ liệu dùng chung", "Sign in to the shared database"))
        if not given:
            return
        account = {**where, "user": user, "password": password}

        def done(_: None) -> None:
            self._signed_in[place] = account
            self.desk.tell(
                say(
                    "Đã đăng nhập với tên {user}; mật khẩu không được lưu.",
                    "Signed in as {user}; the password is not stored.",
                ).format(user=user)
            )
            self.signed_in.emit()

        self.desk.start(say("Đăng nhập", "Signing in"), lambda progress: connect(account).close(), done)

    # the person ---------------------------------------------------------------------------------------------------

    @property
    def author(self) -> str:
        """Who makes the changes; the login name of the machine at first."""
        return QgsSettings().value(_SETTINGS + "author", "", str) or getpass.getuser()

    @property
    def department(self) -> str:
        """The office they are made for."""
        return QgsSettings().value(_SETTINGS + "department", "", str)

    def introduce(self, author: str, department: str) -> None:
        """Keep who is at the desk."""
        QgsSettings().setValue(_SETTINGS + "author", author)
        QgsSettings().setValue(_SETTINGS + "department", department)

    # work ---------------------------------------------------------------------------------------------------------

    def attempt(self, action) -> None:
        """Do something for a button; what a person can do about goes to the message bar."""
        from ..processing_algorithms.common.errors import QuyHoachError

        try:
            action()
        except QuyHoachError as error:
            self.desk.tell_failure(error)

    def warn(self, text: str) -> None:
        """Say what needs attention."""
        self.desk.tell(text, Qgis.MessageLevel.Warning)
