"""``python -m matchclf``."""

from matchclf.app import main

if __name__ == "__main__":
    main()
