"""Writes softmax.json: what scikit-learn makes of small multinomial logistic regressions.

    pip install scikit-learn numpy && python generate.py

scikit-learn minimises C*sum of losses + |w|^2/2, so C = 1/(2*l2*rows) is mean loss + l2*|w|^2. Biases are not penalised in either.
"""
import json
import sys
from pathlib import Path

import numpy
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

rng = numpy.random.default_rng(7)
rows, width, classes = 150, 6, 4
centres = rng.normal(size=(classes, width)) * 1.2
labels = rng.integers(0, classes, rows)
# Features of unlike means and scales, one of them constant.
scales = numpy.array([0.01, 1, 30, 5, 0.3, 0])
features = ((centres[labels] + rng.normal(size=(rows, width))) * scales + [3, -2, 100, 0, 0.5, 7]).astype(numpy.float32)
standard = StandardScaler().fit_transform(features.astype(numpy.float64))
standard[:, 5] = 0

cases = []
for l2 in [1e-1, 1e-2, 1e-3]:
    model = LogisticRegression(C=1 / (2 * l2 * rows), tol=1e-12, max_iter=10_000).fit(standard, labels)
    logits = standard @ model.coef_.T + model.intercept_
    losses = numpy.log(numpy.exp(logits).sum(1)) - logits[numpy.arange(rows), labels]
    cases.append({
        "l2": l2,
        "value": float(losses.mean() + l2 * (model.coef_**2).sum()),
        "weights": model.coef_.ravel().tolist(),
        # Biases are known up to a constant.
        "biases": (model.intercept_ - model.intercept_.mean()).tolist(),
        "predicted": model.predict(standard).tolist(),
    })

versions = {"python": sys.version.split()[0], "scikit-learn": sklearn.__version__, "numpy": numpy.__version__}
out = {"versions": versions, "width": width, "classes": classes, "features": features.ravel().tolist(), "labels": labels.tolist(), "cases": cases}
(Path(__file__).parent / "softmax.json").write_text(json.dumps(out) + "\n")
