"""An outage is logged when it begins and when it is over, and seldom in between."""

from structlog.testing import capture_logs

from customs.jobs.outages import Outage


def test_of_a_thousand_failures_one_is_reported_and_then_their_end():
    outage = Outage("the part does not work")

    with capture_logs() as lines:
        for _ in range(1000):
            outage.report_failure(error="OutOfMemoryError")
        outage.report_success()
        outage.report_success()

    assert [one["event"] for one in lines] == ["the part does not work", "over: the part does not work"]
    assert (lines[0]["error"], lines[1]["times"]) == ("OutOfMemoryError", 1000)


def test_what_begins_again_is_reported_again():
    outage = Outage("the part does not work")

    with capture_logs() as lines:
        for _ in range(2):
            outage.report_failure()
            outage.report_success()

    assert len(lines) == 4
