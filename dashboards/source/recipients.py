"""Who fails, who reports, and how fast: panels of the collector `recipients`, which reads a test's recipients one by one."""

from . import queries as q
from .panels import (
    ACT, COVERAGE, FINE, LOOK, PHISH_PRONE, REPORT_RATE, SHIFT, Column, bars, graph_of, lines, query, stat, table,
)

# What a window needs is there once all of its tests have been read.
OFF = "Not all tests read yet, or the collector recipients is off: see Exporter"
NO_REPORT = "No report yet, or the collector recipients is off"
W90 = '="90d"'
EVER = q.Tests("time()")
tested = q.latest("knowbe4_users_tested", window=W90)
users = q.latest("knowbe4_users")


def mails(outcome, family="knowbe4_phishing_recipients", *labels, offset=""):
    by = ", ".join(["account", *labels])
    return f'max by ({by}) ({family}{{{q.SELECTOR}, window="90d", outcome="{outcome}"}}{offset})'


def failed_again():
    more = q.latest("knowbe4_users_by_failed_tests", "tests", window=W90, tests='=~"2|3|4|5.*"')
    return f"sum ({more}) / (sum ({tested}) > 0)"


def numbers():
    """For the overview."""
    first = q.latest("knowbe4_phishing_test_first_report_seconds", "test_id")
    start = q.latest("knowbe4_phishing_test_start_timestamp_seconds", "test_id")
    return (4,
        (6, stat("Tested in 90 days, higher is better", "Active users to whom a phishing test of the last 90 days was delivered, over all active users. Whoever "
                 "is not tested is not measured.",
                 [query(f"sum ({tested}) / (sum ({users} and on (account) {tested}) > 0)")], unit="percentunit", decimals=0, thresholds=COVERAGE, no_value=OFF,
                 size=20, link=("knowbe4-phishing", "Phishing"))),
        (6, stat("Failed twice or more, lower is better", "Active users who failed two or more tests of the last 90 days, over those tested.",
                 [query(failed_again())], unit="percentunit", decimals=1, thresholds=[(None, FINE), (0.03, "text"), (0.06, LOOK), (0.1, ACT)], no_value=OFF,
                 size=20, link=("knowbe4-phishing", "Phishing"))),
        (6, stat("Somebody reports a test after, lower is better", "Time from the first delivery of a test to its first report: the median of the tests that "
                 "started in the last 90 days.",
                 [query(f"quantile (0.5, {first} and on (account, test_id) {start} > time() - 90 * 86400)")], unit="s", decimals=0,
                 thresholds=[(None, FINE), (900, "text"), (3600, LOOK), (14400, ACT)], no_value=NO_REPORT, size=20, link=("knowbe4-phishing", "Phishing"))),
        (6, stat("People who reported, higher is better", "Active users who reported a test of the last 90 days, over those tested.",
                 [query(f"sum ({q.latest('knowbe4_users_reported', window=W90)}) / (sum ({tested}) > 0)")], unit="percentunit", decimals=0,
                 thresholds=REPORT_RATE, no_value=OFF, size=20, link=("knowbe4-phishing", "Phishing"))),
    )


def delays(kind):
    bounds = ["60", "300", "900", "3600", "14400", "86400", "+Inf"]
    names = ["1 min", "5 min", "15 min", "1 h", "4 h", "1 day", "later"]
    family = f"knowbe4_phishing_recipients_by_{kind}_delay"
    below = [f'sum ({q.latest(family, window=W90, le=f"=`{bound}`")})'.replace("`", '"') for bound in bounds]
    return [query(f"{upper} - {lower}" if lower else upper, name) for lower, upper, name in zip([None, *below], below, names)]


def speed():
    """For the dashboard of phishing tests."""
    about = "Mails of the tests of the last 90 days by the time from a person's own delivery."
    return [
        (9,
         (8, bars("How soon people report", f"{about} Early reports warn the others.", delays("report"), vertical=True, unit="locale", decimals=0,
                  hue="blue", no_value=OFF, limits=(0, None))),
         (8, bars("How soon people fail", f"{about} Before the first report nobody can warn them.", delays("failure"), vertical=True, unit="locale",
                  decimals=0, hue="orange", no_value=OFF, limits=(0, None))),
         (8, bars("People by failed tests, 90 days", "Active users who were tested in the last 90 days by how many of the tests they failed.",
                  [query(f"sum by (tests) ({q.latest('knowbe4_users_by_failed_tests', 'tests', window=W90)})", "{{tests}}")], vertical=True,
                  unit="locale", decimals=0, hue="blue", no_value=OFF, limits=(0, None)))),
        (10,
         (16, table("Speed of the newest tests", "Time from the first delivery to the first failure and to the first report, and the medians over those who "
                    "did, from each one's own delivery. People: who failed in any way, each once, and those of them who reported as well.",
                    [q.test(f"1000 * {EVER.newest(60)}"), *(EVER.each(name, 60) for name in (
                        "first_report_seconds", "first_failure_seconds", "median_report_seconds", "median_failure_seconds",
                        "recipients_failed", "recipients_failed_and_reported"))],
                    [Column("name", "Test"), Column("A", "Started", "dateTimeFromNow", width=115), Column("B", "First report", "s", width=100, decimals=0),
                     Column("C", "First failure", "s", width=105, decimals=0), Column("D", "Median report", "s", width=110, decimals=0),
                     Column("E", "Median failure", "s", width=115, decimals=0), Column("F", "Failed", "locale", width=70, decimals=0),
                     Column("G", "and reported", "locale", width=100, decimals=0), Column.account(115)],
                    sort="Started", no_value="No test's recipients read yet, or the collector recipients is off")),
         (8, table("Who was tested", "Active users of each account to whom a test of the window was delivered, who reported one, and tests whose recipients are "
                   "still to be read.",
                   [f"sum by (window) ({q.latest('knowbe4_users_tested', 'window')})", f"sum by (window) ({q.latest('knowbe4_users_reported', 'window')})",
                    f"sum by (window) ({q.latest('knowbe4_users_tested', 'window')}) / on () group_left () (sum ({users}) > 0)"],
                   [Column("window", "Window"), Column("A", "Tested", "locale", width=80, decimals=0),
                    Column("C", "Of all", "percentunit", width=80, decimals=0, thresholds=COVERAGE), Column("B", "Reported", "locale", width=90, decimals=0)],
                   sort="Tested", descending=False, no_value=OFF))),
    ]


def scorecard(family, key, title, labels, named, columns):
    """Share of the mails of 90 days by what came of them, and its change against 90 days ago."""
    part = lambda outcome, offset="": f"{mails(outcome, family, *labels, offset=offset)} / ({mails('delivered', family, *labels, offset=offset)} > 0)"
    failed = part("failed")
    return (12, table(title, "Of the mails of the phishing tests of the last 90 days: the share that led to a failure, was reported, or neither; and the change of "
                      "the failed share against 90 days before. One that is both failed and reported counts in both.",
                      [named(failed), part("reported"), part("ignored"), f"{failed} - {part('failed', ' offset 90d')}",
                       mails("delivered", family, *labels)],
                      [*columns, Column("A", "Failed", "percentunit", width=80, thresholds=PHISH_PRONE, decimals=1),
                       Column("D", "90 days", "percentunit", width=80, thresholds=SHIFT, decimals=1),
                       Column("B", "Reported", "percentunit", width=90, thresholds=REPORT_RATE, decimals=1),
                       Column("C", "Ignored", "percentunit", width=80, decimals=1), Column("E", "Mails", "locale", width=75, decimals=0)],
                      sort="Failed", no_value=OFF))


def scorecards():
    """For groups and segments."""
    return (12,
        scorecard("knowbe4_segment_phishing_recipients", "segment", "Departments and segments: failed, reported, ignored", ("attribute", "segment"),
                  lambda one: one, [Column("segment", "Segment"), Column.account(115)]),
        scorecard("knowbe4_group_phishing_recipients", "group_id", "Groups: failed, reported, ignored", ("group_id",), q.group,
                  [Column("name", "Group"), Column.account(115)]),
    )


def outcomes():
    """For the dashboard of phishing tests: what people saw with their own eyes."""
    return (4,
        (8, stat("Mails, 90 days", "Mails of the tests of the last 90 days.", [query(f"sum ({mails('delivered')})")], unit="locale", decimals=0, no_value=OFF,
                 size=20)),
        (8, stat("Ignored", "Delivered, and neither failed nor reported, of the mails of the last 90 days.",
                 [query(f"sum ({mails('ignored')}) / (sum ({mails('delivered')}) > 0)")], unit="percentunit", decimals=0, no_value=OFF, size=20)),
        (8, stat("Tests still to be read", "Tests of the longest window whose recipients are still to be read: what a window needs is shown once all of its tests are "
                 "there.", [query(f"sum ({q.latest('knowbe4_phishing_tests_unread')})")], unit="locale", decimals=0,
                 no_value="The collector recipients is off", size=20)),
    )
