"""The explicit list of algorithms, by room. A new algorithm is one import and one line here."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .common.language import say, set_language
from .common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm, interface_language
from .common.qgis_ready_models import ready_models
from .disaster.bulletin.bulletin_algorithm import BulletinAlgorithm
from .disaster.depth.depth_fit_algorithm import FloodFitAlgorithm
from .disaster.depth.flood_correct_algorithm import FloodCorrectAlgorithm
from .disaster.depth.flood_depth_algorithm import FloodDepthAlgorithm
from .disaster.depth.flood_hand_algorithm import FloodHandAlgorithm
from .disaster.exposure.flood_exposure_algorithm import FloodExposureAlgorithm
from .disaster.field_reports.field_reports_algorithm import FieldReportsAlgorithm
from .disaster.report.flood_report_algorithm import FloodReportAlgorithm
from .disaster.scenarios.flood_import_algorithm import FloodImportAlgorithm
from .disaster.scenarios.flood_scenario_algorithm import FloodScenarioAlgorithm
from .disaster.streets.flooded_network_algorithm import FloodedNetworkAlgorithm
from .disaster.terrain.terrain_prepare_algorithm import TerrainPrepareAlgorithm
from .land_use.change_matrix_algorithm import LandUseChangeMatrixAlgorithm
from .land_use.statistics_algorithm import LandUseStatisticsAlgorithm
from .provincial_database.administration.hub_backup_algorithm import HubBackupAlgorithm
from .provincial_database.administration.hub_check_algorithm import HubCheckAlgorithm
from .provincial_database.administration.hub_create_algorithm import HubCreateAlgorithm
from .provincial_database.administration.hub_grant_algorithm import HubGrantAlgorithm
from .provincial_database.administration.hub_lock_algorithm import HubLockAlgorithm
from .provincial_database.administration.hub_person_algorithm import HubPersonAlgorithm
from .provincial_database.administration.hub_restore_algorithm import HubRestoreAlgorithm
from .provincial_database.administration.hub_upgrade_algorithm import HubUpgradeAlgorithm
from .provincial_database.history.as_of_date_algorithm import AsOfDateAlgorithm
from .provincial_database.history.changes_between_algorithm import ChangesBetweenAlgorithm
from .provincial_database.history.revert_changeset_algorithm import RevertChangesetAlgorithm
from .provincial_database.hub_export_algorithm import HubExportAlgorithm
from .provincial_database.hub_list_algorithm import HubListAlgorithm
from .provincial_database.imports.decode_text_algorithm import DecodeTextAlgorithm
from .provincial_database.imports.hub_import_algorithm import HubImportAlgorithm
from .provincial_database.open_layers_algorithm import OpenLayersAlgorithm
from .provincial_database.working_copies.changes_apply_algorithm import ChangesApplyAlgorithm
from .provincial_database.working_copies.changes_export_algorithm import ChangesExportAlgorithm
from .provincial_database.working_copies.checkout_algorithm import CheckoutAlgorithm
from .provincial_database.working_copies.conflicts_algorithm import ConflictsAlgorithm
from .provincial_database.working_copies.pull_algorithm import PullAlgorithm
from .provincial_database.working_copies.push_algorithm import PushAlgorithm
from .provincial_database.working_copies.resolve_algorithm import ResolveAlgorithm
from .provincial_database.working_copies.status_algorithm import StatusAlgorithm
from .provincial_database.working_copies.update_export_algorithm import UpdateExportAlgorithm
from .provincial_database.working_copies.working_copy_scope_algorithm import WorkingCopyScopeAlgorithm
from .traffic.service_area_algorithm import ServiceAreaAlgorithm
from .zoning.compliance.zoning_compliance_algorithm import ZoningComplianceAlgorithm
from .zoning.dossier.plan_dossier_check_algorithm import PlanDossierCheckAlgorithm
from .zoning.dossier.plan_dossier_create_algorithm import PlanDossierCreateAlgorithm
from .zoning.dossier.plan_dossier_export_algorithm import PlanDossierExportAlgorithm
from .zoning.land_balance.land_balance_algorithm import LandBalanceAlgorithm
from .zoning.paper.certificate_register_algorithm import CertificateRegisterAlgorithm
from .zoning.paper.certificate_verify_algorithm import CertificateVerifyAlgorithm
from .zoning.paper.parcel_certificate_algorithm import ParcelCertificateAlgorithm
from .zoning.plans.parcel_zoning_algorithm import ParcelZoningAlgorithm
from .zoning.plans.plan_conflicts_algorithm import PlanConflictsAlgorithm
from .zoning.plans.plan_difference_algorithm import PlanDifferenceAlgorithm
from .zoning.sheets.zoning_sheets_algorithm import ZoningSheetsAlgorithm


def algorithms() -> list[type[QuyHoachAlgorithm]]:
    """All algorithms in the order of the toolbox."""
    return [
        LandUseStatisticsAlgorithm,
        LandUseChangeMatrixAlgorithm,
        ParcelZoningAlgorithm,
        PlanDifferenceAlgorithm,
        PlanConflictsAlgorithm,
        ZoningSheetsAlgorithm,
        ZoningComplianceAlgorithm,
        LandBalanceAlgorithm,
        ParcelCertificateAlgorithm,
        CertificateRegisterAlgorithm,
        CertificateVerifyAlgorithm,
        BulletinAlgorithm,
        FieldReportsAlgorithm,
        TerrainPrepareAlgorithm,
        PlanDossierCreateAlgorithm,
        PlanDossierCheckAlgorithm,
        PlanDossierExportAlgorithm,
        FloodDepthAlgorithm,
        FloodImportAlgorithm,
        FloodScenarioAlgorithm,
        FloodCorrectAlgorithm,
        FloodFitAlgorithm,
        FloodHandAlgorithm,
        FloodExposureAlgorithm,
        FloodedNetworkAlgorithm,
        FloodReportAlgorithm,
        ServiceAreaAlgorithm,
        HubCreateAlgorithm,
        HubImportAlgorithm,
        DecodeTextAlgorithm,
        HubListAlgorithm,
        OpenLayersAlgorithm,
        HubExportAlgorithm,
        CheckoutAlgorithm,
        WorkingCopyScopeAlgorithm,
        StatusAlgorithm,
        PullAlgorithm,
        PushAlgorithm,
        ConflictsAlgorithm,
        ResolveAlgorithm,
        ChangesExportAlgorithm,
        ChangesApplyAlgorithm,
        UpdateExportAlgorithm,
        AsOfDateAlgorithm,
        ChangesBetweenAlgorithm,
        RevertChangesetAlgorithm,
        HubGrantAlgorithm,
        HubPersonAlgorithm,
        HubLockAlgorithm,
        HubCheckAlgorithm,
        HubBackupAlgorithm,
        HubRestoreAlgorithm,
        HubUpgradeAlgorithm,
    ]


class QuyHoachProvider(QgsProcessingProvider):
    """Processing provider ``quyhoach``."""

    def id(self) -> str:  # noqa: D102, A003
        return "quyhoach"

    def name(self) -> str:  # noqa: D102
        return say("Quy hoạch", "QuyHoach planning")

    def longName(self) -> str:  # noqa: D102, N802
        return say("QuyHoach: công cụ quy hoạch cấp tỉnh", "QuyHoach: planning tools for a province")

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(PLUGIN_FOLDER / "plugin" / "icons" / "quyhoach.svg"))

    def supportsNonFileBasedOutput(self) -> bool:  # noqa: D102, N802
        return True

    def loadAlgorithms(self) -> None:  # noqa: D102, N802
        set_language(interface_language())
        for algorithm in algorithms():
            self.addAlgorithm(algorithm())
        self._models = ready_models()
        for model in self._models:
            self.addAlgorithm(model)
        # While it loads, the registry does not know this provider yet, nor models their algorithms.
        QgsApplication.processingRegistry().providerAdded.connect(self._attach_models)

    def _attach_models(self, provider: str) -> None:
        if provider == self.id():
            for model in self._models:
                model.load()
