"""A conflict settled by hand: QGIS's own form and vertex tool on the layer, then the row as it stands is the answer."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsExpression, QgsFeatureRequest, QgsVectorLayer

from ..processing_algorithms.common.errors import InputError, OutputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.provincial_database.catalogue.model import FEATURE_ID, GEOMETRY
from .database_session import Session
from .working_copy_layers import layer_of, refuse_while_editing


class EditByHand:
    """One feature at a time: `begin`, the person edits, then `end` or `drop`."""

    def __init__(self, session: Session):
        self._session = session
        self._layer: QgsVectorLayer | None = None

    @property
    def editing(self) -> bool:
        """Whether a feature is being edited for a conflict."""
        return self._layer is not None

    def begin(self, path: str, conflict: Any, fields: list[str]) -> None:
        """Put the layer into edit mode and open what edits the fields in dispute.

        Raises
        ------
        InputError
            The layer is not in the project, or something is being edited already.
        """
        refuse_while_editing(path)
        layer = layer_of(path, conflict.dataset)
        if layer is None:
            raise InputError(say("Lớp của đối tượng này chưa có trên bản đồ; hãy bấm \"Thêm lớp vào bản đồ\" ở trang \"Dữ liệu làm việc\".",
                                 "The layer of this feature is not on the map; press \"Add layers to the map\" on the page \"Working copy\"."))
        asked = QgsFeatureRequest().setFilterExpression(
            QgsExpression.createFieldEqualityExpression(FEATURE_ID, conflict.feature_id)
        )
        feature = next(layer.getFeatures(asked), None)
        if feature is None or not layer.startEditing():
            raise InputError(
                say(
                    "Không mở được đối tượng này để sửa trong lớp {layer}.",
                    "This feature cannot be edited in layer {layer}.",
                ).format(layer=layer.name())
            )
        self._layer = layer
        iface = self._session.iface
        iface.setActiveLayer(layer)
        layer.selectByIds([feature.id()])
        if GEOMETRY in fields:
            iface.actionVertexToolActiveLayer().trigger()
        if set(fields) - {GEOMETRY}:
            iface.openFeatureForm(layer, feature, False, False)

    def end(self) -> None:
        """Save what was edited.

        Raises
        ------
        OutputError
            QGIS cannot save it; it stays in edit mode.
        """
        if not self._layer.commitChanges():
            raise OutputError(
                say(
                    "Không lưu được chỉnh sửa của lớp {layer}: {why}",
                    "The edits of layer {layer} cannot be saved: {why}",
                ).format(layer=self._layer.name(), why="; ".join(self._layer.commitErrors()))
            )
        self._leave()

    def drop(self) -> None:
        """Go back to what was there before."""
        self._layer.rollBack()
        self._leave()

    def forget(self) -> None:
        """Leave the layer as it is, in edit mode or not: what a person edits is not ours to throw away."""
        self._layer = None

    def _leave(self) -> None:
        layer, self._layer = self._layer, None
        layer.removeSelection()
        self._session.iface.actionPan().trigger()
