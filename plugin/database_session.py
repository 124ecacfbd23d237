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
from .tasks import Desk

_SETTINGS = "QuyHoach/database/"
_MOST_REMEMBERED = 8


class Session(QObject):
    """The state of the dock. Pages listen to its signals and never to each other."""

    hub_chosen = pyqtSignal()
    copy_chosen = pyqtSignal()
    #: The hub or the working copy has changed by our own doing.
    exchanged = pyqtSignal()

    def __init__(self, iface: QgisInterface):
        super().__init__()
        self.iface = iface
        self.desk = Desk(iface, say("Cơ sở dữ liệu dùng chung", "Shared database"))
        self.hub = ""
        self.copy = ""
        self._signed_in: dict[str, dict[str, str]] = {}

    # places -------------------------------------------------------------------------------------------------------

    def known_hubs(self) -> list[str]:
        """Places used before, and the PostgreSQL connections stored in QGIS; files that are gone are left out."""
        connections = sorted(QgsProviderRegistry.instance().providerMetadata("postgres").connections(False))
        return list(dict.fromkeys([*self._remembered("hubs"), *connections]))

    def known_copies(self) -> list[str]:
        """Working copies used before that are still there."""
        return self._remembered("copies")

    def choose_hub(self, place: str) -> None:
        """Work with another hub."""
        self.hub = place.strip()
        if self.hub:
            self._remember("hubs", self.hub)
        self.hub_chosen.emit()

    def choose_copy(self, path: str, hub: str) -> None:
        """Work with a working copy, and with the hub it came from."""
        self.copy = path
        self._remember("copies", path)
        if hub != self.hub:
            self.choose_hub(hub)
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

    def sign_in(self) -> bool:
        """Ask for the account on the server; kept in memory until QGIS is closed."""
        from ..processing_algorithms.provincial_database.postgis_connection import parameters_of

        try:
            where = parameters_of(resolved(self.hub))
        except InputError as error:
            self.desk.tell_failure(error)
            return False
        given, user, password = QgsCredentials.instance().get(
            self.hub, where.get("user", ""), "", say("Đăng nhập cơ sở dữ liệu dùng chung", "Sign in to the shared database"))
        if given:
            self._signed_in[self.hub] = {**where, "user": user, "password": password}
        return given

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
