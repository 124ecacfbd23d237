"""Ready models of the toolbox: whole jobs made of the algorithms, as ``.model3`` files anyone can open in the model designer."""

from __future__ import annotations

import re
from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm
from qgis.PyQt.QtGui import QIcon

from .language import current_language, say

FOLDER = Path(__file__).resolve().parents[2] / "plugin" / "models"
GROUP = "models"


class ReadyModel(QgsProcessingModelAlgorithm):
    """A model from ``plugin/models``; its file is named for its id and language."""

    def __init__(self, path: Path):
        super().__init__()
        self._path = path
        self.load()

    def createInstance(self) -> ReadyModel:  # noqa: D102, N802
        return type(self)(self._path)

    def displayName(self) -> str:  # noqa: D102, N802
        return self._title

    def group(self) -> str:  # noqa: D102
        return say("Mô hình sẵn có", "Ready models")

    def groupId(self) -> str:  # noqa: D102, N802
        return GROUP

    def shortDescription(self) -> str:  # noqa: D102, N802
        return re.split(r"\.\s", self.shortHelpString().strip())[0].rstrip(".") + "."

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(FOLDER.parent / "icons" / f"{GROUP}.svg"))

    def helpUrl(self) -> str:  # noqa: D102, N802
        from .qgis_help import algorithm_page

        return algorithm_page(self).as_uri()

    def load(self) -> None:
        """Read the file; again once the provider is in the registry, which finds the algorithms the model is made of."""
        self.fromFile(str(self._path))
        # A model calls itself as its file does; people see the title, scripts the id.
        self._title = self.name()
        self.setName(self._path.stem.partition("_")[0])
        # Keys of results come from their descriptions and are the same in both languages; what people read is in the comment.
        for child in self.childAlgorithms().values():
            for result in child.modelOutputs().values():
                for define in (self.parameterDefinition, self.outputDefinition):
                    definition = define(self.safeName(result.description()))
                    if definition is not None:
                        definition.setDescription(result.comment().description())
                        if hasattr(definition, "setHelp"):
                            definition.setHelp(result.comment().description())


def ready_models() -> list[ReadyModel]:
    """Return the models in the language spoken now."""
    return [ReadyModel(path) for path in sorted(FOLDER.glob(f"*_{current_language()}.model3"))]
