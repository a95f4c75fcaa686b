"""What is learnt from records with known outcomes: so far, what a confidence is worth."""

from automix_graph.calibration.isotonic import Isotonic, cross_fitted_isotonic, fit_isotonic

__all__ = ["Isotonic", "cross_fitted_isotonic", "fit_isotonic"]
