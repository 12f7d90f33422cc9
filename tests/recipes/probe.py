"""Everything a copy of the product shows: run in the copy, which the recipes have changed.

`python -m tests.recipes.probe FOLDER` writes each page in each language, the API's document, and the texts of each
spreadsheet to a file of its own in FOLDER, and `statuses.json` beside them.
"""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.ops import migrate
from customs.web.i18n import LANGUAGES
from tests import make
from tests.conftest import SIGNING_KEY
from tests.recipes.extras import EXTRAS
from tests.web.crowded import Crowd, crowded
from tests.web.page_table import GETS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FOR_ANYBODY = ("/docs", "/docs/guide", "/errors", "/api/v1/openapi.json", "/metrics")


def main(folder: Path) -> None:
    with TemporaryDirectory() as home:
        services = _services(Path(home))
        with crowded(services) as crowd:
            statuses = {}
            for name, status, text in _everything(crowd):
                statuses[name] = status
                (folder / f"{len(statuses):03}.txt").write_text(text, encoding="utf-8")
            for extra in EXTRAS:
                statuses[extra.__name__] = extra(crowd)
        services.engine.dispose()
    (folder / "statuses.json").write_text(json.dumps(statuses), encoding="utf-8")


def _services(home: Path) -> Services:
    environment = {
        "CUSTOMS_HOME": str(home),
        "CUSTOMS_DATABASE_URL": f"sqlite:///{home}/customs.db",
        "CUSTOMS_REDIS_URL": f"unix://{home}/nobody.sock",
        "WISECASHIER_BASE_URL": "http://127.0.0.1:9",
        "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
    }
    services = Services(read_settings(make.SECRETS | environment))
    engine = database.connect(services.settings.database_url)
    migrate.upgrade(engine)
    engine.dispose()
    return services


def _everything(crowd: Crowd) -> Iterator[tuple[str, int, str]]:
    for language in LANGUAGES:
        crowd.boss.post("/language", language=language)
        for rule in (*GETS, *FOR_ANYBODY):
            answer = crowd.boss.get(crowd.place(rule))
            text = _texts(answer.data) if answer.mimetype == XLSX else answer.data.decode(errors="replace")
            yield f"{rule} {language}", answer.status_code, text


def _texts(workbook: bytes) -> str:
    """All that a workbook holds, as its XML."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
