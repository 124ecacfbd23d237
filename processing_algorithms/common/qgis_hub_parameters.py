"""Parameters that the algorithms of the shared database have in common."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsDataSourceUri,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
    QgsProviderRegistry,
)

from . import qgis_parameters as ask
from .addresses import is_postgis_location
from .language import say
from .moments import read_moment

#: A hub may be a file or an address: whatever is typed is taken, files are offered.
HUB_FILTER = "GeoPackage (*.gpkg);;PostgreSQL (*)"


def hub_parameter() -> QgsProcessingParameterFile:
    """The shared database, ``HUB``."""
    return ask.with_help(
        QgsProcessingParameterFile(
            "HUB", say("Cơ sở dữ liệu dùng chung", "Shared database"), Qgis.ProcessingFileParameterBehavior.File,
            "", None, False, HUB_FILTER),
        say("Tệp GeoPackage tạo bằng \"Tạo cơ sở dữ liệu dùng chung\"; hoặc tên một kết nối PostgreSQL đã lưu trong QGIS; "
            "hoặc địa chỉ libpq không có mật khẩu (service=tinh, postgresql://may-chu/csdl).",
            "A GeoPackage made by \"Create a shared database\"; or the name of a PostgreSQL connection stored in QGIS; "
            "or a libpq address without a password (service=province, postgresql://server/database)."))


def hub_location(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> str | dict[str, str]:
    """Return what the user gave as ``HUB``, for `hub.open_hub`."""
    return resolved(algorithm.parameterAsFile(parameters, "HUB", context))


def resolved(location: str) -> str | dict[str, str]:
    """Turn the name of a PostgreSQL connection stored in QGIS into its parameters; leave any other location as it is.

    User and password come from QGIS's authentication store here, in memory; the name is all that is kept anywhere.
    """
    connection = QgsProviderRegistry.instance().providerMetadata("postgres").connections(False).get(location.strip())
    if connection is None:
        return location
    uri = QgsDataSourceUri(connection.uri())
    if uri.authConfigId():
        uri = QgsDataSourceUri(uri.uri(True))  # with what the authentication store holds
    given = {"service": uri.service(), "host": uri.host(), "port": uri.port(), "dbname": uri.database(),
             "user": uri.username(), "password": uri.password()}
    if uri.sslMode() != QgsDataSourceUri.SslMode.SslPrefer:  # libpq's own default
        given["sslmode"] = QgsDataSourceUri.encodeSslMode(uri.sslMode())
    given |= {key: uri.param(key) for key in ("sslcert", "sslkey", "sslrootcert") if uri.hasParam(key)}
    return {key: value for key, value in given.items() if value}


def new_hub_parameter(help: str) -> QgsProcessingParameterFileDestination:
    """A place where there is no shared database yet, ``HUB``; read with `new_hub_place`."""
    return ask.with_help(
        QgsProcessingParameterFileDestination("HUB", say("Cơ sở dữ liệu dùng chung mới", "New shared database"),
                                              HUB_FILTER),
        help)


def new_hub_place(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> tuple[str, str | dict[str, str]]:
    """Return what was given for `new_hub_parameter`, as the user knows it and for the engines."""
    text = address_in(algorithm.parameterAsFileOutput(parameters, "HUB", context))
    return text, resolved(text)


def address_in(text: str) -> str:
    """Return the database a destination names; a file's path is left as it is.

    The dialog takes what is typed without a folder for a file and puts its own folder of results before it.
    """
    last = Path(text).name
    if (
        last != text
        and not text.lower().endswith(".gpkg")
        and not is_postgis_location(text)
        and (is_postgis_location(last) or isinstance(resolved(last), dict))
    ):
        return last
    return text


def is_database(text: str) -> bool:
    """Tell whether a destination is a database on a server and no file."""
    text = address_in(text)
    return is_postgis_location(text) or isinstance(resolved(text), dict)


def dataset_parameter(labels: Iterable[str]) -> QgsProcessingParameterString:
    """One dataset, ``DATASET``: chosen from the labels, or typed as name or id."""
    parameter = ask.text(
        "DATASET", say("Tập dữ liệu", "Dataset"),
        say("Tên (parcel), mã (D03) hoặc nhãn (Thửa đất) của tập dữ liệu.",
            "Name (parcel), id (D03) or label (Land parcel) of the dataset."))
    parameter.setMetadata({"widget_wrapper": {"value_hints": list(labels)}})
    return parameter


def datasets_parameter() -> QgsProcessingParameterString:
    """Several datasets, ``DATASETS``; blank is all."""
    return ask.text("DATASETS", say("Các tập dữ liệu", "Datasets"),
                    say("Tên, mã hoặc nhãn, cách nhau bằng dấu phẩy; để trống là tất cả.",
                        "Names, ids or labels separated by commas; blank is all."), optional=True)


def units_parameter() -> QgsProcessingParameterString:
    """Communes, ``UNITS``; blank is the whole province."""
    return ask.text("UNITS", say("Mã đơn vị hành chính cấp xã", "Commune codes"),
                    say("Mã 5 chữ số, cách nhau bằng dấu phẩy; để trống là toàn tỉnh.", "Five digits, separated by commas; blank is the whole province."),
                    optional=True)


def sender_parameter() -> QgsProcessingParameterString:
    """The department whose changes file it is, ``DEPARTMENT``; read with `sender`."""
    return ask.text("DEPARTMENT", say("Cơ quan gửi tệp", "Department that sent the file"),
                    say("Tên tắt hoặc tên đầy đủ. Chỉ nhận và trả trong phạm vi quyền của cơ quan này; để trống: theo quyền của tài khoản đang dùng.",
                        "Short or full name. Takes and gives only what its rights cover; blank: by the rights of the account in use."),
                    optional=True)


def sender(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext,
           hub: Any) -> Any:
    """Return the `offices.Office` named by `sender_parameter`, or None."""
    name = algorithm.parameterAsString(parameters, "DEPARTMENT", context)
    return hub.office(name) if name.strip() else None


def moment_parameters(date: str, changeset: str, date_label: str, changeset_label: str) -> list[Any]:
    """A moment of a hub's history: a time, or a changeset; read with `moment`."""
    return [
        ask.text(date, date_label,
                 say("Ngày hoặc ngày giờ, ví dụ 22/11/2026 hoặc 2026-11-22 07:30, giờ Việt Nam. Hoặc để trống và cho số đợt.",
                     "Day or time, such as 2026-11-22 or 2026-11-22 07:30, Vietnam's time. Or blank, and give a changeset."),
                 optional=True),
        ask.number(changeset, changeset_label,
                   say("Số thứ tự trong nhật ký chỉnh sửa; 0 là trước đợt đầu tiên.",
                       "Its number in the change ledger; 0 is before the first."), minimum=0, integer=True,
                   optional=True),
    ]


def moment(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, date: str,
    changeset: str,
    *, end_of_day: bool = True, or_now: bool = False
) -> Any:
    """Return the moment given for `moment_parameters`; now when neither is given and it may be.

    Call it in `prepare`: what is no moment is refused before any work.
    """
    text = algorithm.parameterAsString(parameters, date, context)
    given = parameters.get(changeset) not in (None, "")
    if or_now and not given and not text.strip():
        return datetime.datetime.now(datetime.UTC)
    return read_moment(text, algorithm.parameterAsInt(parameters, changeset, context) if given else None,
                       end_of_day=end_of_day)


def restricted_parameter() -> Any:
    """Whether fields with personal data are wanted, ``RESTRICTED``; read with `secrecy_asked`."""
    return ask.yes_no("RESTRICTED", say("Kèm dữ liệu cá nhân", "With personal data"),
                      say("Chỉ chọn khi được phép.", "Only where you are allowed to."), advanced=True)


def secrecy_asked(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """Return the highest secrecy of the fields to give."""
    return "restricted" if algorithm.parameterAsBool(parameters, "RESTRICTED", context) else "internal"
