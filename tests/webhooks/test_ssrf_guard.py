"""Where a webhook may not go: every way to write an inner address, names that lead there, names that change."""

import ipaddress
import threading
from collections.abc import Callable, Sequence

import pytest

from customs.webhooks.http_sender import Sender
from customs.webhooks.ssrf_guard import Resolver, TargetRefused, is_public, read_target
from tests.patience import PATIENCE_SECONDS
from tests.webhooks.receiver import Receiver

REFUSED = [
    "http://erp.example/hook",
    "ftp://erp.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//erp.example/",
    "erp.example",
    "https:erp.example",
    "https://",
    "https:///hook",
    "https://a@127.0.0.1/",
    "https://user:secret@erp.example/",
    "https://erp.example@127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://0/",
    "https://1.2.3.4.5/",
    "https://erp.example.0x7/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://[3fff::1]/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://erp.localhost/",
    "https://erp.example:0/",
    "https://erp.example:/",
    "https://erp.example:65536/",
    "https://erp.example:80:80/",
    "https://erp.example:x/",
    "https://erp.example/#part",
    "https://erp.example/#",
    "https://erp.example\\@127.0.0.1/",
    "https://erp.example/a b",
    "https://erp.example/\r\nHost: inner",
    " https://erp.example/",
    "https://erp.example/\x00",
    "https://erp%2eexample/",
    "https://127.0.0.1%2f@erp.example/",
    "https://-erp.example/",
    "https://erp..example/",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.0.0.1/",
    "https://例え.jp/",
    "https://[::1/",
    "https://[erp.example]/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://erp.example/" + "a" * 500,
    "",
]


@pytest.mark.parametrize("url", REFUSED, ids=[ascii(url)[:60] for url in REFUSED])
def test_these_are_no_targets(url: str):
    with pytest.raises(TargetRefused):
        read_target(url, loopback=False)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://erp.example", "erp.example", 443, "/"),
        ("HTTPS://ERP.Example/Hook", "erp.example", 443, "/Hook"),
        ("https://erp.example:8443/hook?key=1", "erp.example", 8443, "/hook?key=1"),
        ("https://xn--r8jz45g.jp/", "xn--r8jz45g.jp", 443, "/"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443, "/"),
        ("https://[64:ff9b::808:808]/", "64:ff9b::808:808", 443, "/"),
    ],
)
def test_these_are_targets(url: str, host: str, port: int, path: str):
    target = read_target(url, loopback=False)

    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/", "https://127.0.0.1/"])
def test_this_machine_is_a_target_in_sandbox_mode(url: str):
    assert read_target(url, loopback=True)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://10.0.0.1/", "http://erp.example/", "http://127.1/"])
def test_sandbox_mode_opens_nothing_else(url: str):
    with pytest.raises(TargetRefused):
        read_target(url, loopback=True)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::8.8.8.8"])
def test_these_addresses_are_the_internets(text: str):
    assert is_public(ipaddress.ip_address(text))


def resolver(*answers: Sequence[str]) -> tuple[Resolver, list[str]]:
    """A resolver that says something else each time, and whom it was asked for."""
    asked: list[str] = []

    def look_up(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return Resolver(look_up), asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"],
        ["169.254.169.254"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_followed(addresses: list[str]):
    named, _ = resolver(addresses)

    answer = Sender(timeout=1.0, loopback=False, resolver=named).post("https://erp.example/", {}, b"{}")

    assert answer.status is None
    assert answer.error is not None
    assert answer.error.startswith("not sent")


def test_a_name_is_looked_up_once_for_each_attempt_and_that_address_is_called(receiver: Receiver):
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    # Had the connection its own look-up, it would go to the second answer.
    named, asked = resolver(["127.0.0.1"], ["10.0.0.1"])
    sender = Sender(timeout=1.0, loopback=True, resolver=named)
    url = f"http://erp.localhost:{port}/hook?a=1"

    first = sender.post(url, {}, b"{}")
    second = sender.post(url, {}, b"{}")

    assert (first.status, second.status) == (204, None)
    assert asked == ["erp.localhost", "erp.localhost"]
    (heard,) = receiver.heard
    assert (heard.headers["host"], heard.path) == (f"erp.localhost:{port}", "/hook?a=1")


def test_a_name_whose_first_address_is_dead_is_reached_at_the_next(receiver: Receiver):
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    named, _ = resolver(["127.0.0.2", "127.0.0.1"])

    answer = Sender(timeout=1.0, loopback=True, resolver=named).post(f"http://erp.localhost:{port}/", {}, b"{}")

    assert answer.status == 204


@pytest.mark.parametrize(
    "look_up", [lambda *_: [][0:0], lambda *_: (_ for _ in ()).throw(OSError("no"))], ids=["nothing", "no such host"]
)
def test_a_name_that_leads_nowhere_is_sent_nothing(look_up: Callable[..., Sequence[str]]):
    sender = Sender(timeout=1.0, loopback=False, resolver=Resolver(look_up))

    assert sender.post("https://erp.example/", {}, b"{}").status is None


def test_a_name_that_is_not_looked_up_in_time_is_waited_for_no_longer():
    found = threading.Event()
    slow = Resolver(lambda *_: found.wait(PATIENCE_SECONDS) and ["8.8.8.8"])

    answer = Sender(timeout=0.2, loopback=False, resolver=slow).post("https://erp.example/", {}, b"{}")
    is_still_looking = not found.is_set()
    found.set()

    assert answer.status is None
    assert is_still_looking
    assert answer.duration_ms < PATIENCE_SECONDS * 1000
