"""The plugin as QGIS loads it: in the program with a window, and in qgis_process without one."""

from __future__ import annotations

from qgis.core import QgsApplication

from ..processing_algorithms.common.bundled import offer_bundled_packages, withdraw_bundled_packages
from ..processing_algorithms.provider import QuyHoachProvider


class QuyHoachPlugin:
    """Registers the Processing provider; `initGui` is not called by qgis_process, `initProcessing` is by both."""

    def __init__(self, iface):
        self.iface = iface
        offer_bundled_packages()
        self.provider: QuyHoachProvider | None = None

    def initProcessing(self) -> None:  # noqa: N802
        """Add the provider to the registry."""
        self.provider = QuyHoachProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:  # noqa: N802
        """Set up what is visible."""
        self.initProcessing()

    def unload(self) -> None:
        """Leave nothing behind."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        withdraw_bundled_packages()
