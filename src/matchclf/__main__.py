"""``python -m matchclf``."""

from matchclf import garbage

garbage.wait()

from matchclf.app import main  # noqa: E402 - imports are what makes most of what is no garbage

if __name__ == "__main__":
    main()
