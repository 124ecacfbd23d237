"""Connections to a PostGIS hub: where it is, without a password in it; and the server's refusals in our words.

A location is a libpq URI (``postgresql://host/database``) or a libpq text (``service=tinh``, ``host=... dbname=...``).
Passwords come from pgpass, the environment or, as parameters, from QGIS's authentication store; they are in no
location, no message and no log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...common.errors import InputError, OutputError
from ...common.language import say
from ...common.packages import require

#: SQLSTATE of what our own triggers refuse; the message is a sentence for people.
REFUSED = "QH001"
_SECRET_KEYS = ("password", "sslpassword", "passfile")
_SHOWN_KEYS = ("service", "host", "hostaddr", "port", "dbname")
# Whatever the server or the environment is set to: the same texts for the same values, and instants in UTC.
_SESSION = ("SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; "
            "SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; "
            "SET standard_conforming_strings = on; SET row_security = on; "
            # Compiling our statements takes longer than running them.
            "SET jit = off; "
            # Nobody waits for ever for a table that somebody else holds; a server's own limit stays.
            "SELECT set_config('lock_timeout', '2min', false) WHERE current_setting('lock_timeout') = '0'")


#: What servers and libpq say when they let nobody in, or cannot be found. They have no code before one is in.
_NOT_LET_IN = ("password authentication failed", "no password supplied", "authentication failed for user", "role \"")
_NOT_FOUND = ("connection refused", "could not translate host name", "timeout expired", "no route to host",
              "network is unreachable", "no such file or directory")


class SignInError(InputError):
    """The server lets nobody in by this name and password, or by none."""


def parameters_of(location: str | Mapping[str, Any]) -> dict[str, Any]:
    """Read a location; parameters given as a mapping are taken as they are.

    Raises
    ------
    InputError
        It holds a password, or cannot be read. Neither is repeated in the message.
    """
    if isinstance(location, Mapping):
        return {str(key): value for key, value in location.items() if value not in (None, "")}
    require("psycopg2")
    import psycopg2.extensions

    try:
        found = psycopg2.extensions.parse_dsn(location.strip())
    except psycopg2.ProgrammingError:
        found = None
    if found is None:
        # Not chained: the driver's message quotes the text, and with it a password.
        raise InputError(say("Không đọc được địa chỉ cơ sở dữ liệu. Ví dụ đúng: service=tinh, "
                             "hoặc postgresql://may-chu/ten_csdl.",
                             "The database's address cannot be read. Right ones: service=province, "
                             "or postgresql://server/database."))
    if any(found.get(key) for key in _SECRET_KEYS):
        raise InputError(say("Địa chỉ cơ sở dữ liệu không được chứa mật khẩu; hãy để mật khẩu trong kho xác thực của "
                             "QGIS, tệp pgpass hoặc biến môi trường.",
                             "A database's address must not hold a password; keep it in QGIS's authentication store, "
                             "the pgpass file or the environment."))
    return dict(found)


def shown(parameters: Mapping[str, Any]) -> str:
    """Name a database for people: server and database only.

    Examples
    --------
    >>> shown({"host": "may-chu", "dbname": "tinh", "user": "lan", "password": "bí mật"})
    'host=may-chu dbname=tinh'
    """
    return " ".join(f"{key}={parameters[key]}" for key in _SHOWN_KEYS if key in parameters)


def connect(parameters: Mapping[str, Any]) -> Any:
    """Open a connection with the session settings everything here counts on; autocommit is on between transactions.

    Raises
    ------
    SignInError
        The server lets nobody in by this name and password.
    InputError
        It cannot be reached.
    """
    require("psycopg2")
    import psycopg2

    wanted = {"application_name": "QuyHoach", "connect_timeout": 15, **parameters}
    try:
        connection = psycopg2.connect(**wanted)
        if connection.info.parameter_status("standard_conforming_strings") == "off":
            # psycopg2 quotes bytes for good by what it finds at the beginning: shapes would arrive as others.
            options = f"{connection.info.options or ''} -c standard_conforming_strings=on"
            connection.close()
            connection = psycopg2.connect(**{**wanted, "options": options})
    except psycopg2.Error as error:
        raise _no_connection(parameters, error) from None
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_SESSION)
    return connection


def _no_connection(parameters: Mapping[str, Any], error: Exception) -> InputError:
    where, why = shown(parameters), _first_line(error)
    if any(said in why.lower() for said in _NOT_LET_IN):
        if not parameters.get("password"):
            return SignInError(say("Cơ sở dữ liệu dùng chung ({where}) cần tên đăng nhập và mật khẩu; hãy đăng nhập.",
                                   "The shared database ({where}) asks for a user and a password; sign in.").format(where=where))
        return SignInError(say("Tên đăng nhập hoặc mật khẩu không đúng; hãy đăng nhập lại ({where}).",
                               "The user or the password is wrong; sign in again ({where}).").format(where=where))
    if any(said in why.lower() for said in _NOT_FOUND):
        return InputError(say("Không liên lạc được máy chủ cơ sở dữ liệu ({where}); hãy kiểm tra mạng, tên máy chủ và cổng. Máy chủ báo: {why}",
                              "The database server does not answer ({where}); check the network, its name and port. It was told: {why}")
                          .format(where=where, why=why))
    return InputError(say("Không kết nối được cơ sở dữ liệu ({where}): {why}",
                          "The database cannot be reached ({where}): {why}").format(where=where, why=why))


@contextmanager
def transaction(connection: Any, *, reading: bool = False) -> Iterator[Any]:
    """Give a cursor for one transaction: committed when the block ends well, else rolled back.

    ``reading`` sees one moment all along and writes nothing.
    """
    mode = "ISOLATION LEVEL REPEATABLE READ READ ONLY" if reading else "ISOLATION LEVEL READ COMMITTED"
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN {mode}")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                _roll_back(connection)
            raise


def _roll_back(connection: Any) -> None:
    import psycopg2

    try:
        connection.cancel()  # a statement may still run when somebody stopped us
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    except psycopg2.Error:
        connection.close()  # cut off: the server rolls back by itself


@contextmanager
def told() -> Iterator[None]:
    """Turn the server's refusals into one sentence; programming errors keep their traceback."""
    import psycopg2
    import psycopg2.errors as codes

    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode == REFUSED or isinstance(error, psycopg2.IntegrityError):
            raise OutputError(say("Cơ sở dữ liệu dùng chung từ chối, không ghi gì: {why}",
                                  "The shared database refused, nothing was written: {why}")
                              .format(why=_first_line(error))) from error
        if isinstance(error, codes.InsufficientPrivilege):
            raise OutputError(say("Tài khoản này không đủ quyền trên cơ sở dữ liệu dùng chung: {why}",
                                  "This account lacks the right in the shared database: {why}")
                              .format(why=_first_line(error))) from error
        if isinstance(error, codes.LockNotAvailable):
            raise OutputError(say("Người hoặc chương trình khác đang giữ bảng dữ liệu này của cơ sở dữ liệu dùng chung, không ghi gì; hãy thử lại sau.",
                                  "Somebody else, or another program, holds this table of the shared database, nothing was written; try "
                                  "again later.")) from error
        if isinstance(error, codes.ReadOnlySqlTransaction):
            raise OutputError(say("Máy chủ cơ sở dữ liệu dùng chung đang chỉ cho đọc (bản dự phòng, hoặc đang bảo trì), không ghi gì; hãy thử lại "
                                  "sau hoặc hỏi quản trị.",
                                  "The shared database's server lets nobody write just now (a standby, or maintenance), nothing was written; "
                                  "try again later or ask its administrator.")) from error
        if isinstance(error, codes.DiskFull):
            raise OutputError(say("Đĩa của máy chủ cơ sở dữ liệu dùng chung đã đầy, không ghi gì; báo quản trị máy chủ dọn chỗ. Máy chủ báo: {why}",
                                  "The disk of the shared database's server is full, nothing was written; ask its administrator to make room. "
                                  "It was told: {why}").format(why=_first_line(error))) from error
        if isinstance(error, (codes.UndefinedColumn, codes.UndefinedTable)):
            raise OutputError(say("Bảng của cơ sở dữ liệu dùng chung không còn như khi tạo, có cột hoặc bảng bị xóa hay đổi tên ({why}); không đổi gì. "
                                  "Người quản trị hãy chạy quyhoach:hubcheck.",
                                  "The tables of the shared database are no longer as they were made, a column or table is dropped or renamed "
                                  "({why}); nothing is changed. Its administrator should run quyhoach:hubcheck.")
                              .format(why=_first_line(error))) from error
        # A server that dies gives an error without a code, of no class in particular.
        cut = error.pgcode is None and not isinstance(error, psycopg2.ProgrammingError)
        if cut or isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
            raise OutputError(say("Mất liên lạc với cơ sở dữ liệu dùng chung, hoặc máy chủ không làm được: "
                                  "{why}. Hãy thử lại.",
                                  "The shared database was lost or could not do it: {why}. Try again.").format(
                                      why=_first_line(error))) from error
        if isinstance(error, psycopg2.DataError):
            raise OutputError(say("Cơ sở dữ liệu dùng chung không nhận giá trị, không ghi gì: {why}",
                                  "The shared database does not take a value, nothing was written: {why}")
                              .format(why=_first_line(error))) from error
        raise


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
