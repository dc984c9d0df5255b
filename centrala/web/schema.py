"""`python -m centrala.web.schema` prints the API's OpenAPI description as JSON; the pages take their types from it."""

import json
import sys
from typing import Any, cast

from centrala.web.app import make_app
from centrala.web.house import House


def openapi() -> dict[str, Any]:
    """The description alone: no route is called, so there need be no house behind them."""
    return make_app(cast(House, None)).openapi()


if __name__ == "__main__":
    json.dump(openapi(), sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
    sys.stdout.write("\n")
