"""The smallest Hydra app."""

import hydra
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=None)
def main(config: DictConfig) -> None:
    pass


if __name__ == "__main__":
    main()
