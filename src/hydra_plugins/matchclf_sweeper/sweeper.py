"""The sweeper of stage=tuning. Hydra imports this module at every start: nothing heavy here."""

from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper


class ResumableSweeper(OptunaSweeper):  # type: ignore[misc]
    """Hydra's Optuna sweeper, going on from the finished trials that MLflow knows."""

    def sweep(self, arguments: list[str]) -> None:
        """Search until the budget of trials is used up."""
        from matchclf.search import sweep

        sweep(self.sweeper, arguments)
