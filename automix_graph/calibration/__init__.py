"""What is learnt from records with known outcomes: what a confidence is worth, and which rules keep a promise."""

from automix_graph.calibration.agreement import large_is_right, scored_by_agreement
from automix_graph.calibration.binning import Binning
from automix_graph.calibration.calibrating import calibrate
from automix_graph.calibration.calibration import Alone, Band, Calibration, Compared, Expected
from automix_graph.calibration.certificate import Certificate, Refusal
from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_pomdp import fit_pomdp
from automix_graph.calibration.fit_thresholds import fit_double_threshold, fit_threshold
from automix_graph.calibration.fit_utility import fit_utility
from automix_graph.calibration.guarantees import certify_error, certify_regret, certify_sequence
from automix_graph.calibration.isotonic import Isotonic, cross_fitted_isotonic, fit_isotonic
from automix_graph.calibration.provenance_of import Origin, provenance_of
from automix_graph.calibration.recorded_questions import made_for_records, question_groups
from automix_graph.calibration.refused import CalibrationRefused
from automix_graph.calibration.sample_size import least_rows, rows_needed
from automix_graph.calibration.splitting import Split, one_row_per_group, split_rows
from automix_graph.calibration.targets import MaxCost, MaxError, MaxRegret, MinQuality, PriceOfError, Target
from automix_graph.calibration.threshold_grid import error_grid, threshold_grid

__all__ = [
    "Alone",
    "Band",
    "Binning",
    "Calibration",
    "CalibrationRefused",
    "Certificate",
    "Compared",
    "Expected",
    "Isotonic",
    "MaxCost",
    "MaxError",
    "MaxRegret",
    "MinQuality",
    "Origin",
    "PriceOfError",
    "Refusal",
    "Split",
    "Target",
    "calibrate",
    "certify_error",
    "certify_regret",
    "certify_sequence",
    "cross_fitted_isotonic",
    "error_grid",
    "fit_double_threshold",
    "fit_isotonic",
    "fit_optimal_stopping",
    "fit_pomdp",
    "fit_threshold",
    "fit_utility",
    "large_is_right",
    "least_rows",
    "made_for_records",
    "one_row_per_group",
    "provenance_of",
    "question_groups",
    "rows_needed",
    "scored_by_agreement",
    "split_rows",
    "threshold_grid",
]
