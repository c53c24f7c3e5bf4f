"""``python -m matchclf``."""

from matchclf.app import main

main()
