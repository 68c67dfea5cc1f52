"""For those who look after several organisations: all of them in one table, the riskiest first."""

from . import queries as q
from .board import board
from .overview import NO_DATA
from .panels import (
    ACT, ANY_BAD, BANDS, COMPLETION, DAYS_LEFT, FINE, LATE, NO_HISTORY, PAST_DUE, PHISH_PRONE, PLAIN, REPORT_RATE, RISE, RISK, SEATS, SHIFT, TEST_GAP,
    Column, graph_of, lines, mapped, query, stat, steps, table,
)

RISK_SCORE = "knowbe4_account_risk_score"
EACH = " by (account)"
risk = q.latest(RISK_SCORE)
end = q.latest("knowbe4_account_subscription_end_timestamp_seconds")
seats_used = f"{q.latest('knowbe4_users')} / {q.latest('knowbe4_account_seats')}"
days_left = f"({end} - time()) / 86400"
phish_prone = q.rate_of_window("failures", by=EACH)
report_rate = q.rate_of_window("reported", by=EACH)
past_due = q.share_of_enrollments("past_due", EACH)
late = f"max by (account) ({q.LATENESS})"


down = f"{q.latest('knowbe4_up')} == bool 0"


risky = q.beyond(risk, ">", "account_risk_score_high")
prone = q.beyond(phish_prone, ">", "phish_prone_high")
untested = q.beyond(q.SINCE_TEST, ">", "phishing_test_gap_days")
ending = q.beyond(days_left, "<", "subscription_ending_days")


def issues():
    """How many of the thresholds that alerts have an account is beyond."""
    each = [risky, prone, q.beyond(report_rate, "<", "report_rate_low"), untested, q.beyond(past_due, ">", "training_past_due_ratio"),
            q.beyond(seats_used, ">", "seats_used_ratio"), ending, q.beyond(late, ">", "stale_intervals"), down]
    return " + ".join(f"(({one}) or 0 * {q.POLLED})" for one in each)


def numbers():
    """How many accounts want attention, and why."""
    count = {"unit": "locale", "decimals": 0, "thresholds": ANY_BAD}
    total = {"matcher": {"id": "byName", "options": "Polled"}, "properties": [{"id": "thresholds", "value": steps(PLAIN)}]}
    return (4,
        (6, stat("Accounts", "Accounts that the exporter polls, and those whose most recent request failed: their values stand still.",
                 [query(f"count ({q.POLLED})", "Polled"), query(f"sum ({down})", "API down")], overrides=[total],
                 no_value="Nothing polled yet", link=("knowbe4-exporter", "Exporter"), **count)),
        (6, stat("At risk", "Accounts whose risk score is above the alert's threshold (50), and those whose phishing tests of the last 90 days failed more "
                 "often than theirs (30 %).",
                 [query(f"sum ({risky})", "Risk high"), query(f"sum ({prone})", "Phish-prone high")],
                 no_value=NO_DATA, **count)),
        (6, stat("To plan", "Accounts whose last phishing test started longer ago than the alert's threshold (45 days), and those whose subscription has ended or "
                 "ends sooner than theirs (60 days).",
                 [query(f"sum ({untested})", "No test for long"), query(f"sum ({ending})", "Ends soon")],
                 no_value=NO_DATA, **count)),
        (6, stat("Of all accounts", "Active users and licensed seats of all accounts together.",
                 [query(f"sum ({q.latest('knowbe4_users')})", "Users"), query(f"sum ({q.latest('knowbe4_account_seats')})", "Seats")],
                 no_value=NO_DATA, unit="locale", decimals=0)),
    )


def ranking():
    return (26,
        (24, table("Accounts", "All accounts, those with the most issues first; click a name for its overview, a heading to sort, the funnel in a heading to "
                   "filter. Issues: how many of the alerts' thresholds it is beyond, your own where you have overridden one (else: risk above 50, phish-prone "
                   "above 30 %, reported below 20 %, no test for 45 days, past due above 10 %, seats above 95 %, end within 60 days, late data), and API "
                   "down. Colours go by the defaults. Phish-prone and reported: of the tests "
                   "of the last 90 days, with the change of the phish-prone ratio against the three months before. Past due: campaigns that run. – is not known, which is not 0.",
                   [risk, f"max by (account, name) (knowbe4_account_info{{{q.SELECTOR}}})", q.change(RISK_SCORE, ago="30d"),
                    phish_prone, report_rate, q.SINCE_TEST,
                    q.change_of_months("failures", 3, EACH), past_due, seats_used, days_left,
                    late, q.latest("knowbe4_up"), q.latest("knowbe4_users"), issues()],
                   [Column.account(140),
                    Column("N", "Issues", "none", width=80, filtered=True, thresholds=[(None, FINE), (1, "text"), (3, ACT)], decimals=0),
                    Column("A", "Risk score", "none", width=130, thresholds=RISK, cell="gauge", decimals=1, limits=(0, 100)),
                    Column("C", "30 days", "none", width=75, thresholds=RISE, decimals=1),
                    Column("D", "Phish-prone", "percentunit", width=95, thresholds=PHISH_PRONE, decimals=1),
                    Column("G", "3 months", "percentunit", width=75, thresholds=SHIFT, decimals=1),
                    Column("E", "Reported", "percentunit", width=80, thresholds=REPORT_RATE, decimals=1),
                    Column("F", "Last test", "suffix: d", width=80, thresholds=TEST_GAP, decimals=0),
                    Column("H", "Past due", "percentunit", width=80, thresholds=PAST_DUE, decimals=1),
                    Column("I", "Seats", "percentunit", width=65, thresholds=SEATS, decimals=0),
                    Column("J", "Ends in", "suffix: d", width=75, thresholds=DAYS_LEFT, decimals=0),
                    Column("K", "Late", "none", width=60, thresholds=LATE, decimals=1),
                    Column("L", "API", "none", width=65, filtered=True, thresholds=[(None, ACT), (1, FINE)],
                           mappings=[mapped(_0="down", _1="up")]),
                    Column("M", "Users", "locale", width=75, decimals=0), Column("name", "Organisation")],
                   sort="Issues", pages=False, no_value=NO_DATA)),
    )


def trends():
    highest = f"topk(10, {q.now(RISK_SCORE)})"
    return [
        (10,
         (12, lines("Risk score over time, lower is better", "The ten accounts that are highest at the end of the time range, and the median of all.",
                    [graph_of(f"{risk} and on (account) {highest}", "{{account}}"), graph_of(f"quantile (0.5, {risk})", "Median of all")],
                    unit="none", decimals=0, no_value=NO_HISTORY, thresholds=RISK, custom=BANDS, limits=(0, 100))),
         (12, lines("Phish-prone over time, lower is better", "For each month the tests that started in it and in the two months before, with what is known "
                    "of these tests now. The ten accounts whose risk score is highest, and all accounts together.",
                    [graph_of(f"{q.rate_of_months('failures', EACH, graph=True)} and on (account) {highest}", "{{account}}"),
                     graph_of(q.rate_of_months("failures", graph=True), "All together")], unit="percentunit",
                    no_value="No phishing test known yet", limits=(0, None), interval=q.STEP))),
        (16,
         (24, table("Subscriptions", "What KnowBe4 says of each account. Trial accounts have no seats and perhaps no end.",
                    [f"max by (account, name, type, subscription_level) (knowbe4_account_info{{{q.SELECTOR}}})",
                     q.latest("knowbe4_account_seats"), q.latest("knowbe4_users"), q.latest("knowbe4_account_admins"),
                     q.latest("knowbe4_account_domains"), f"1000 * {end}"],
                    [Column.account(140),
                     Column("name", "Organisation"), Column("type", "Type", width=90), Column("subscription_level", "Subscription", width=120),
                     Column("B", "Seats", "locale", width=90, decimals=0), Column("C", "Users", "locale", width=90, decimals=0),
                     Column("D", "Admins", "locale", width=80, decimals=0), Column("E", "Domains", "locale", width=85, decimals=0),
                     Column("F", "Ends", "dateTimeFromNow", width=120)],
                    sort="Ends", descending=False, pages=False, no_value=NO_DATA))),
    ]


def dashboard():
    return board(
        "knowbe4-accounts", "KnowBe4 / Accounts",
        "All accounts in one table, those with the most issues first, each with a link to its overview: for those who look after several.",
        [numbers(), ranking(), *trends()], since="now-1y",
    )
