"""A regression of counts with overdispersion, in which past outbreaks weigh less; for `farrington`.

Source: Farrington and others 1996 (see `farrington`); McCullagh and Nelder, Generalized Linear
Models, 2nd edition (1989), chapters 2 and 9.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDS = 50
_EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """log(mean) = x beta; the covariance of beta and the overdispersion phi >= 1 are already in it."""

    beta: Floats
    covariance: Floats
    dispersion: float
    means: Floats


def fit(y: Floats, x: Floats) -> Fit | None:
    """Fits once with equal weights and once with those of `outbreak_weights`; None if it does not converge.

    phi = max(1, sum w (y - m)^2 / m / (n - columns of x)).
    """
    first = _fit(y, x, np.ones(len(y)))
    return None if first is None else _fit(y, x, outbreak_weights(y, x, first))


def predict(found: Fit, at: Floats) -> tuple[float, float]:
    """The mean m at one row of x, and the variance of a count about it: phi m + m^2 var(log m)."""
    mean = float(np.exp(at @ found.beta))
    return mean, found.dispersion * mean + mean**2 * float(at @ found.covariance @ at)


def outbreak_weights(y: Floats, x: Floats, found: Fit) -> Floats:
    """gamma / s^2 for a standardised Anscombe residual s above 1, otherwise gamma; they sum to their number.

    s = 3/2 (y^(2/3) m^(-1/6) - m^(1/2)) / sqrt(phi (1 - h)), with the leverage h of the row.
    """
    root = x * np.sqrt(found.means)[:, None]
    leverage = np.einsum("ij,ji->i", root, np.linalg.pinv(root))
    raw = 1.5 * (y ** (2 / 3) * found.means ** (-1 / 6) - np.sqrt(found.means))
    residuals = raw / np.sqrt(found.dispersion * np.maximum(1 - leverage, _EXACT))
    weights = np.where(residuals > 1, 1 / np.maximum(residuals, 1) ** 2, 1.0)
    return np.asarray(weights * (len(y) / weights.sum()))


def _fit(y: Floats, x: Floats, weights: Floats) -> Fit | None:
    """Iteratively reweighted least squares with the logarithm as link."""
    means: Floats = np.maximum(y, 0.5)
    before = np.full(x.shape[1], np.inf)
    for _ in range(_ROUNDS):
        working = np.log(means) + (y - means) / means
        root = np.sqrt(weights * means)
        solved = np.linalg.lstsq(x * root[:, None], working * root, rcond=None)[0]
        beta = np.asarray(solved, dtype=np.float64)
        means = np.exp(np.clip(x @ beta, -30, 30))
        if np.abs(beta - before).max() < _EXACT:
            return _fitted(y, x, weights, beta, means)
        before = beta
    return None


def _fitted(y: Floats, x: Floats, weights: Floats, beta: Floats, means: Floats) -> Fit:
    free = len(y) - x.shape[1]
    dispersion = max(1.0, float((weights * (y - means) ** 2 / means).sum()) / free)
    information = (x * (weights * means)[:, None]).T @ x
    return Fit(beta, dispersion * np.linalg.inv(information), dispersion, means)
