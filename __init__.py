"""QuyHoach: land use, zoning, traffic and disaster planning for a Vietnamese province, in QGIS."""


def classFactory(iface):
    """QGIS calls this to load the plugin; nothing of QGIS is imported before."""
    from .plugin.main import QuyHoachPlugin

    return QuyHoachPlugin(iface)
