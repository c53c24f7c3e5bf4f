"""Run a stored config again, without Hydra's command line: ``python -m matchclf.replay REQUEST.json ANSWER.json``.

The request says which config, which trial if it is one, and where to record the run; the answer is the new run's id.
It is called in the code of an old commit by ``stage=reproduce`` of a newer one: what is read here stays readable.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from matchclf import interrupts
from matchclf.callbacks import pipeline_tags
from matchclf.compose import restore
from matchclf.config import Tracking
from matchclf.errors import MatchclfError
from matchclf.files import read_json, write_json
from matchclf.redaction import redact, redact_record
from matchclf.stages import find_stage
from matchclf.tracking import runs, tags
from matchclf.tracking.store import open_store


def main(request_file: str, answer_file: str) -> None:
    """Run the request and write the id of the new run; exits with the code of the error that stopped it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    for handler in logging.getLogger().handlers:
        handler.addFilter(redact_record)
    interrupts.watch()
    try:
        write_json({"run_id": replay(read_json(Path(request_file)))}, Path(answer_file))
    except Exception as problem:
        known = problem if isinstance(problem, MatchclfError) else MatchclfError(f"Unexpected {runs.reason(problem)}")
        runs.finish_all(runs.FAILED, runs.reason(problem))
        print(f"Error: {redact(str(known))}", file=sys.stderr)
        sys.exit(known.exit_code)
    finally:
        runs.finish_all(runs.KILLED, "The process ended before the run did.")


def replay(request: dict[str, Any]) -> str:
    """Run the stage of the request under a new parent run; returns the parent's id."""
    config = restore(request["settings"])
    store = open_store(
        Tracking("replay", request["tracking_uri"]), request["experiment_name"], Path(request["project"])
    )
    of = {"reproduction.of": request["of"], **pipeline_tags(config, tags.NONE)}
    parent = runs.start(store, f"reproduction | {request['name']}", of)
    run = import_module(find_stage(config.stage.name).module).run
    try:
        run(config, parent, *request["trial"])
    except Exception as problem:
        runs.finish_all(runs.FAILED, runs.reason(problem))
        raise
    runs.finish_all(runs.FINISHED, "")
    return parent.id


if __name__ == "__main__":
    main(*sys.argv[1:])
