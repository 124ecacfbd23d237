"""How algorithms read the parameters they share, and refuse what cannot be used; the parameters are in `qgis_parameters`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qgis.core import Qgis, QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingFeatureSourceDefinition

from .errors import InputError, noted
from .language import say
from .numbers_vi import parse_number
from .qgis_layers import LayerInput, layer_input

if TYPE_CHECKING:
    from .areas import Surface
    from .geometry import InvalidGeometry


class ReadingAlgorithm(QgsProcessingAlgorithm):
    """What of `qgis_algorithm.QuyHoachAlgorithm` reads and checks parameters, in `prepare`."""

    def layer(self, parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> LayerInput | None:
        """Resolve a layer parameter in `prepare`; None for an optional one left empty."""
        source = self.parameterAsSource(parameters, key, context)
        value = parameters.get(key)
        # parameterAsVectorLayer does not look into the definition that carries a selection or filter.
        inner = value.source if isinstance(value, QgsProcessingFeatureSourceDefinition) else value
        layer = self.parameterAsVectorLayer({key: inner}, key, context)
        if source is None or layer is None:
            definition = self.parameterDefinition(key)
            if value in (None, "") and definition.flags() & Qgis.ProcessingParameterFlag.Optional:
                return None
            raise InputError(say("Không đọc được lớp {label}: {value}. Kiểm tra đường dẫn hoặc tên lớp.",
                                 "The layer {label} cannot be read: {value}. Check its path or name.")
                             .format(label=definition.description(), value=value))
        return replace(layer_input(key, value, source, layer), notes=self.late_notes)

    def field(
        self, parameters: dict[str, Any], key: str, layer: LayerInput | None, context: QgsProcessingContext
    ) -> str | None:
        """Return the field's exact name; refuse one the layer does not have, and name those it has."""
        asked = self.parameterAsString(parameters, key, context)
        if not asked or layer is None:
            if layer is not None and not self.parameterDefinition(key).flags() & Qgis.ProcessingParameterFlag.Optional:
                raise InputError(say("Chưa chọn trường cho \"{label}\".", "No field is chosen for \"{label}\".")
                                 .format(label=self.parameterDefinition(key).description()))
            return None
        position = layer.fields.lookupField(asked)
        if position < 0:
            raise InputError(say("Lớp {layer} không có trường \"{field}\"; các trường hiện có: {names}.",
                                 "Layer {layer} has no field \"{field}\"; its fields are: {names}.")
                             .format(layer=layer.name, field=asked, names=", ".join(layer.columns()) or "-"))
        return layer.fields.at(position).name()

    def optional_number(self, parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> float | None:
        """Return the number, None where none was given; refuse what QGIS would silently take for 0, such as ``abc``."""
        value = parameters.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return self.parameterAsDouble(parameters, key, context)
        try:
            number = parse_number(value)  # refuses 14.500, which is fourteen and a half to a program and 14500 to a person
        except InputError:
            if "e" not in value.lower():
                raise
            try:
                number = float(value)  # 1e-3
            except ValueError:
                number = parse_number(value)
        definition = self.parameterDefinition(key)
        if not definition.minimum() <= number <= definition.maximum():
            raise InputError(
                say('"{label}": {value} nằm ngoài khoảng cho phép.', '"{label}": {value} is out of range.').format(
                    label=definition.description(), value=value
                )
            )
        return number

    def not_empty(self, layer: LayerInput) -> None:
        """Refuse an empty main input."""
        if layer.feature_count == 0:
            raise InputError(say("Lớp {layer} không có đối tượng nào (kiểm tra bộ lọc hoặc phần đang chọn).",
                                 "Layer {layer} has no features (check its filter or selection).").format(layer=layer.name))

    def usable(
        self,
        problems: list[str],
        layers: Iterable[LayerInput | None],
        *,
        may_be_empty: Iterable[LayerInput | None] = (),
    ) -> None:
        """Note what keeps layers from being used: no feature in them, no coordinate system; None is passed over."""
        from .crs import require_stated

        for some, needed in ((layers, True), (may_be_empty, False)):
            for layer in some:
                if layer is None:
                    continue
                with noted(problems):
                    if needed:
                        self.not_empty(layer)
                with noted(problems):
                    require_stated(layer.crs, layer.name)

    def measurable(self, problems: list[str], layer: LayerInput, surface: Surface) -> None:
        """Note when areas of a layer cannot be measured on a surface; that it states no system `usable` tells."""
        from .areas import check_surface

        with noted(problems):
            if layer.crs is not None:
                check_surface(layer.crs, surface, layer.name)

    def invalid_geometry(self, parameters: dict[str, Any], context: QgsProcessingContext) -> InvalidGeometry:
        """The shared choice about invalid shapes, as `geometry.InvalidGeometry`."""
        from .geometry import InvalidGeometry

        return InvalidGeometry(self.parameterAsEnum(parameters, "INVALID_GEOMETRY", context))

    def area_surface(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Surface:
        """The shared choice of where areas are measured, as `areas.Surface`."""
        from .areas import Surface

        return Surface(self.parameterAsEnum(parameters, "AREA_SURFACE", context))
