"""Score every model on one variant of the features."""

from matchclf.config import Config
from matchclf.stages.compare import compare
from matchclf.stages.metric_files import keep_comparison
from matchclf.tracking.runs import Run


def run(config: Config, parent: Run) -> float:
    """Compare the models on the features of ``config.variant``; returns the best mean walk-forward log-loss."""
    scored = compare(config, parent)
    keep_comparison(f"ablation_{config.variant.name}", [one.evaluation for one in scored])
    return min(one.picked_by for one in scored)
