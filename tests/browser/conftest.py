"""The desk in a real browser: a deployment of real processes, people in front of it, Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from customs.ops.supervisor import free_port
from tests.browser.browsing import Browsing, on_file
from tests.journeys.deployment import Deployment
from tests.journeys.gateway import SandboxGateway, running_gateway

SitDown = Callable[..., Browsing]
# Where Debian, and then others, put it.
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium; loudly left out where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    try:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
    except Error as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NOT TESTED IN A BROWSER: no Chromium can be started here ({str(error).splitlines()[0]})")
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def payers_gateway(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxGateway]:
    """The gateway of the desk: what is asked there is answered by the document, and its payer is one of us."""
    with running_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def deployment(
    browser: Browser, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, payers_gateway: SandboxGateway
) -> Iterator[Deployment]:
    """Real processes on an SQLite database of their own, for every file that asks: each works for its own merchants."""
    home = tmp_path_factory.mktemp("browser")
    database_url = f"sqlite:///{shutil.copy(migrated_file, home / 'customs.db')}"
    public_url = f"http://127.0.0.1:{free_port(0)}"
    with Deployment(home, database_url, payers_gateway, CUSTOMS_PUBLIC_URL=public_url) as deployed:
        deployed.start_redis()
        deployed.start("clock")
        deployed.start("worker")
        yield deployed


@pytest.fixture(scope="session")
def public_address(deployment: Deployment) -> str:
    public_url: str = deployment.services.settings.public_url
    deployment.start_web(int(public_url.rpartition(":")[2]))
    return public_url


@pytest.fixture
def sit_down(browser: Browser, deployment: Deployment, public_address: str) -> Iterator[SitDown]:
    """Put somebody of a role in front of a browser, signed in unless they do that themselves."""
    seated: list[Browsing] = []

    def sit(
        role: str = "clerk",
        language: str = "zh_CN",
        merchants: Sequence[str] | None = None,
        *,
        signs_in: bool = True,
        scripts: bool = True,
    ) -> Browsing:
        person = on_file(deployment.services, role, language, merchants)
        browsing = Browsing(browser, public_address, person, language, scripts=scripts)
        seated.append(browsing)
        if signs_in:
            browsing.sign_in()
        return browsing

    yield sit
    for browsing in seated:
        browsing.close()
    assert [error for browsing in seated for error in browsing.wrong] == []
