"""The base of every algorithm: one order, one way to fail, one way to write.

A subclass states identity, help and parameters, resolves its layers in ``prepare`` (main thread), and in ``process``
reads, calls the engine and writes. Engines are imported inside these methods, so that the provider loads on a machine
that lacks geopandas; `canExecute` then says what is missing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsWkbTypes,
)
from qgis.PyQt import sip
from qgis.PyQt.QtGui import QIcon

from .errors import Cancelled, OutputError, QuyHoachError
from .language import say, speaking
from .packages import require
from .progress import Progress
from .qgis_destinations import check_destinations, file_destination
from .qgis_layers import add_to_sink, qgis_fields, to_qgis_crs
from .qgis_parameter_reading import ReadingAlgorithm
from .thread_state import keep_thread_state

PLUGIN_FOLDER = Path(__file__).resolve().parents[2]

#: Rooms as groups of the toolbox: id, Vietnamese, English.
ROOMS = {
    "land_use": ("Sử dụng đất", "Land use"),
    "zoning": ("Quy hoạch đô thị và nông thôn", "Zoning"),
    "traffic": ("Mạng lưới giao thông", "Traffic"),
    "disaster": ("Phòng, chống thiên tai", "Disaster"),
    "provincial_database": ("Cơ sở dữ liệu dùng chung của tỉnh", "Provincial database"),
}


class QuyHoachAlgorithm(ReadingAlgorithm):
    """An algorithm of this provider.

    Subclasses set `ID` and `ROOM` and define `title`, `help`, `parameters`, `prepare`, `process`, and where they have
    number or text outputs, `outputs`. `TAGS` are further words a person may search by. `NEEDS` are the packages.
    """

    ID = ""
    ROOM = ""
    TAGS: tuple[str, ...] = ()
    NEEDS: tuple[str, ...] = ("geopandas", "shapely", "pandas", "numpy", "pyproj")

    def __init__(self) -> None:
        super().__init__()
        self._refusal = ""
        #: What is found while reading and told when all is done.
        self.late_notes: list[str] = []

    # identity -----------------------------------------------------------------------------------------------------

    def title(self) -> str:
        """Name in the toolbox, ``say(vi, en)``."""
        raise NotImplementedError

    def help(self) -> str:
        """What it answers, method, source, units, and what happens to null, empty and invalid geometry."""
        raise NotImplementedError

    def name(self) -> str:  # noqa: D102
        return self.ID

    def displayName(self) -> str:  # noqa: D102, N802
        return self.title()

    def group(self) -> str:  # noqa: D102
        return say(*ROOMS[self.ROOM])

    def groupId(self) -> str:  # noqa: D102, N802
        return self.ROOM

    def shortHelpString(self) -> str:  # noqa: D102, N802
        return self.help()

    def shortDescription(self) -> str:  # noqa: N802
        """The first sentence of the help; an ellipsis does not end it."""
        return re.split(r"(?<!\.)\.\s", self.help().split("\n")[0])[0].rstrip(".") + "."

    def tags(self) -> list[str]:
        """Both languages, whichever is spoken, and without diacritics, as people type in a hurry."""
        words = list(self.TAGS)
        for language in ("vi", "en"):
            with speaking(language):
                words.append(self.title())
        words.append(_without_diacritics(words[-2]))
        return words

    def icon(self) -> QIcon:  # noqa: D102
        own = PLUGIN_FOLDER / "plugin" / "icons" / f"{self.ID}.svg"
        return QIcon(str(own if own.exists() else own.with_name(f"{self.ROOM}.svg")))

    def helpUrl(self) -> str:  # noqa: D102, N802
        from .qgis_help import algorithm_page

        return algorithm_page(self).as_uri()

    def createInstance(self) -> QuyHoachAlgorithm:  # noqa: D102, N802
        return type(self)()

    def canExecute(self) -> tuple[bool, str]:  # noqa: D102, N802
        try:
            require(*self.NEEDS)
        except QuyHoachError as error:
            return False, str(error)
        return True, ""

    # parameters ---------------------------------------------------------------------------------------------------

    def parameters(self) -> list[QgsProcessingParameterDefinition]:
        """The parameters in the order of the dialog; build them with `qgis_parameters`."""
        raise NotImplementedError

    def outputs(self) -> list[QgsProcessingOutputDefinition]:
        """Number and text outputs beside the destinations."""
        return []

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: D102, N802
        for parameter in self.parameters():
            self.addParameter(parameter)
        for output in self.outputs():
            self.addOutput(output)

    # running ------------------------------------------------------------------------------------------------------

    def prepare(self, parameters: dict[str, Any], context: QgsProcessingContext,
                feedback: QgsProcessingFeedback) -> None:
        """Resolve and check everything that can be checked before work starts (main thread)."""

    def process(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Read, call the engine, write; return the values of all outputs."""
        raise NotImplementedError

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:  # noqa: D102, N802
        parameters = self._given(parameters)
        self.late_notes.clear()
        try:
            require(*self.NEEDS)  # qgis_process does not ask canExecute
            check_destinations(self, parameters, context)
            self.prepare(parameters, context, feedback)
        except QuyHoachError as error:
            # Raised here it would be logged only, and a script would get "There were errors executing the algorithm".
            self._refusal = str(error)
        return True

    def processAlgorithm(self, parameters, context, feedback) -> dict[str, Any]:  # noqa: D102, N802
        keep_thread_state()
        if self._refusal:
            raise QgsProcessingException(self._refusal)
        try:
            # Engines look for a cancel until results are complete; what is written after that is no longer taken back.
            import numpy

            # GEOS leaves the processor's "invalid operation" flag set now and then, and numpy would warn people of it.
            with numpy.errstate(invalid="ignore"):
                results = self.process(self._given(parameters), context, feedback)
            for note in dict.fromkeys(self.late_notes):
                feedback.pushWarning(note)
            return results
        except QuyHoachError as error:
            raise QgsProcessingException(str(error)) from None

    def _given(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters without results nobody asked for, which the dialog for batches gives as layers without a name."""
        optional = {
            one.name()
            for one in self.destinationParameterDefinitions()
            if one.flags() & Qgis.ProcessingParameterFlag.Optional
        }

        def is_empty(value: Any) -> bool:
            if isinstance(value, QgsProcessingOutputLayerDefinition):
                return value.sink.propertyType() == Qgis.PropertyType.Static and not value.sink.staticValue()
            return value == ""

        return {key: value for key, value in parameters.items() if key not in optional or not is_empty(value)}

    # what engines are given ----------------------------------------------------------------------------------------

    def progress(self, feedback: QgsProcessingFeedback) -> Progress:
        """Return the callable engines report to; it raises `Cancelled` when the user has stopped the run."""

        asked = self.asked(feedback)

        def report(fraction: float, message: str | None = None) -> None:
            asked()
            feedback.setProgress(100.0 * fraction)
            if message:
                feedback.setProgressText(message)

        return report

    def asked(self, feedback: QgsProcessingFeedback) -> Callable[[], None]:
        """Return the callable that raises `Cancelled` when the user has stopped the run, and tells nothing."""

        def look() -> None:
            if feedback.isCanceled():
                raise Cancelled()

        return look

    # writing ------------------------------------------------------------------------------------------------------

    def write_layer(
        self,
        parameters: dict[str, Any],
        key: str,
        context: QgsProcessingContext,
        frame: Any,
        wkb_type: Qgis.WkbType = Qgis.WkbType.NoGeometry,
        style: str | None = None,
    ) -> str | None:
        """Write a GeoDataFrame (or a DataFrame as a table) to a destination; None when it was not asked for.

        Plain files are written whole in one go; memory layers and database tables through QGIS.
        ``style`` is a path under ``styles/`` applied when the layer is loaded into a project.
        """
        value = parameters.get(key)
        if not self._is_asked_for(key, value):
            return None
        if (path := file_destination(parameters, key, context)) is not None:
            from .files import write_vector

            destination = self.parameterAsOutputLayer(parameters, key, context)
            write_vector(frame, path, geometry_type=_ogr_geometry_name(wkb_type))
        else:
            fields = qgis_fields(frame)
            crs = to_qgis_crs(frame.crs) if wkb_type != Qgis.WkbType.NoGeometry else QgsCoordinateReferenceSystem()
            sink, destination = self.parameterAsSink(parameters, key, context, fields, wkb_type, crs)
            if sink is None or not add_to_sink(frame, fields, sink, _ogr_geometry_name(wkb_type)):
                why = sink.lastError() if sink is not None else ""
                raise OutputError(say("Không ghi được kết quả \"{label}\" vào {value}. {why}",
                                      "The result \"{label}\" cannot be written to {value}. {why}")
                                  .format(label=self.parameterDefinition(key).description(), value=value,
                                          why=why).strip())
            if hasattr(sink, "finalize"):
                sink.finalize()
            del sink
        self.style_on_load(context, destination, style)
        return destination

    def style_on_load(self, context: QgsProcessingContext, destination: str, style: str | None) -> None:
        """Apply ``styles/<style>`` when the destination is loaded into a project."""
        if style and context.willLoadLayerOnCompletion(destination):
            context.layerToLoadOnCompletionDetails(destination).setPostProcessor(
                kept(_StyleOnLoad(str(PLUGIN_FOLDER / "styles" / style))))

    def _is_asked_for(self, key: str, value: Any) -> bool:
        if value is None or value == "":
            definition = self.parameterDefinition(key)
            return not definition.flags() & Qgis.ProcessingParameterFlag.Optional
        return True


class _StyleOnLoad(QgsProcessingLayerPostProcessorInterface):
    """Gives a result its style when QGIS loads it."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def postProcessLayer(self, layer, context, feedback) -> None:  # noqa: D102, N802
        message, loaded = layer.loadNamedStyle(self.path)
        if not loaded:
            feedback.pushWarning(message)
        layer.triggerRepaint()


_kept: list[QgsProcessingLayerPostProcessorInterface] = []


def kept(processor: QgsProcessingLayerPostProcessorInterface) -> QgsProcessingLayerPostProcessorInterface:
    """Keep a post-processor alive until QGIS is done with it.

    QGIS runs them after the algorithm is gone, and the context deletes them: one serves one run only.
    """
    _kept[:] = [one for one in _kept if not sip.isdeleted(one)]
    _kept.append(processor)
    return processor


def _ogr_geometry_name(wkb_type: Qgis.WkbType) -> str:
    return QgsWkbTypes.displayString(wkb_type)


def _without_diacritics(text: str) -> str:
    import unicodedata

    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


def interface_language() -> str:
    """The language for `language.set_language`: that of QGIS; in qgis_process the variable LANGUAGE goes first."""
    application = QgsApplication.instance()
    if application is None:
        return "vi"
    asked = os.environ.get("LANGUAGE", "") if QgsApplication.platform() == "qgis_process" else ""
    return asked or application.locale()
