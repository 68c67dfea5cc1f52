"""For those who look after several organisations: all of them in one table, the riskiest first."""

from . import queries as q
from .board import board
from .overview import NO_DATA, rolling
from .panels import (
    ANY_BAD, COMPLETION, DAYS_LEFT, LATE, PAST_DUE, PHISH_PRONE, PLAIN, REPORT_RATE, RISE, RISK, SEATS, TEST_GAP, Column, graph_of, lines, mapped,
    query, stat, steps, table,
)

RISK_SCORE = "knowbe4_account_risk_score"
EACH = " by (account)"
RECENT = q.Tests(q.days(90))
risk = q.latest(RISK_SCORE)
end = q.latest("knowbe4_account_subscription_end_timestamp_seconds")
seats_used = f"{q.latest('knowbe4_users')} / {q.latest('knowbe4_account_seats')}"
days_left = f"({end} - time()) / 86400"
since_test = f"(time() - max by (account) ({RECENT.start})) / 86400"


def numbers():
    """How many accounts want attention, and why."""
    polled = q.latest("knowbe4_exporter_budget_limit", window='="24h"')
    count = {"unit": "locale", "decimals": 0, "thresholds": ANY_BAD}
    total = {"matcher": {"id": "byName", "options": "Polled"}, "properties": [{"id": "thresholds", "value": steps(PLAIN)}]}
    return (4,
        (8, stat("Accounts", "Accounts that the exporter polls, and those whose most recent request failed: their values stand still.",
                 [query(f"count ({polled})", "Polled"), query(f"sum ({q.latest('knowbe4_up')} == bool 0)", "API down")], overrides=[total],
                 no_value="No exporter seen", link=("knowbe4-exporter", "Exporter"), **count)),
        (8, stat("At risk", "Accounts whose risk score is above 50, and accounts whose phishing tests of the last 90 days failed more often than one in "
                 "five.",
                 [query(f"sum ({risk} > bool 50)", "Risk > 50"), query(f"sum (({RECENT.phish_prone(EACH)}) > bool 0.2)", "Phish-prone > 20%")],
                 no_value=NO_DATA, **count)),
        (8, stat("To plan", "Accounts whose last phishing test started more than 45 days ago, and accounts whose subscription ends within 60 days or has "
                 "ended.",
                 [query(f"sum ({since_test} > bool 45)", "No test, 45 d"), query(f"sum ({days_left} < bool 60)", "Ends, 60 d")],
                 no_value=NO_DATA, **count)),
    )


def ranking():
    return (10,
        (24, table("Accounts", "All accounts, the riskiest first; click a name for its overview, a heading to sort. Change: the risk score against that of "
                   "30 days ago (means of a day). Phish-prone and reported: of the tests of the last 90 days. Training: campaigns that are not "
                   "closed. Late: age of the oldest data over its promised interval. – is not known, which is not 0.",
                   [risk, f"max by (account, name) (knowbe4_account_info{{{q.SELECTOR}}})", q.change(RISK_SCORE, ago="30d"),
                    RECENT.phish_prone(EACH), RECENT.report_rate(EACH), since_test,
                    q.share_of_enrollments(q.DONE, EACH), q.share_of_enrollments("past_due", EACH), seats_used, days_left,
                    f"max by (account) ({q.LATENESS})", q.latest("knowbe4_up"), q.latest("knowbe4_users")],
                   [Column("account", "Account", width=125, link=("knowbe4-overview", "Overview of this account")),
                    Column("A", "Risk score", "none", width=150, thresholds=RISK, cell="gauge", decimals=1, limits=(0, 100)),
                    Column("C", "Change", "none", width=75, thresholds=RISE, decimals=1),
                    Column("D", "Phish-prone", "percentunit", width=100, thresholds=PHISH_PRONE, decimals=1),
                    Column("E", "Reported", "percentunit", width=85, thresholds=REPORT_RATE, decimals=1),
                    Column("F", "Last test", "suffix: d", width=85, thresholds=TEST_GAP, decimals=0),
                    Column("G", "Training", "percentunit", width=80, thresholds=COMPLETION, decimals=0),
                    Column("H", "Past due", "percentunit", width=80, thresholds=PAST_DUE, decimals=1),
                    Column("I", "Seats used", "percentunit", width=95, thresholds=SEATS, decimals=0),
                    Column("J", "Ends in", "suffix: d", width=80, thresholds=DAYS_LEFT, decimals=0),
                    Column("K", "Late", "none", width=65, thresholds=LATE, decimals=1),
                    Column("L", "API", "none", width=60, thresholds=[(None, "red"), (1, "green")],
                           mappings=[mapped(_0="down", _1="up")]),
                    Column("M", "Users", "locale", width=75, decimals=0), Column("name", "Organisation")],
                   sort="Risk score", no_value=NO_DATA)),
    )


def trends():
    highest = f"topk(10, {q.now(RISK_SCORE)})"
    return [
        (10,
         (12, lines("Risk score over time", "The ten accounts that are highest at the end of the time range.",
                    [graph_of(f"{risk} and on (account) {highest}", "{{account}}")], unit="none", decimals=1, no_value=NO_DATA)),
         (12, lines("Phish-prone, rolling 90 days", "For each moment the tests that started in the 90 days before it, with what is known of these tests now. "
                    "The ten accounts whose risk score is highest.",
                    [graph_of(f"{rolling(90).phish_prone(EACH)} and on (account) {highest}", "{{account}}")], unit="percentunit",
                    no_value="No phishing test known yet", limits=(0, None), interval=q.STEP))),
        (8,
         (24, table("Subscriptions", "What KnowBe4 says of each account. Trial accounts have no seats and perhaps no end.",
                    [f"max by (account, name, type, subscription_level) (knowbe4_account_info{{{q.SELECTOR}}})",
                     q.latest("knowbe4_account_seats"), q.latest("knowbe4_users"), q.latest("knowbe4_account_admins"),
                     q.latest("knowbe4_account_domains"), f"1000 * {end}"],
                    [Column("account", "Account", width=125, link=("knowbe4-overview", "Overview of this account")),
                     Column("name", "Organisation"), Column("type", "Type", width=90), Column("subscription_level", "Subscription", width=120),
                     Column("B", "Seats", "locale", width=90, decimals=0), Column("C", "Users", "locale", width=90, decimals=0),
                     Column("D", "Admins", "locale", width=80, decimals=0), Column("E", "Domains", "locale", width=85, decimals=0),
                     Column("F", "Ends", "dateTimeFromNow", width=120)],
                    sort="Ends", descending=False, no_value=NO_DATA))),
    ]


def dashboard():
    return board(
        "knowbe4-accounts", "KnowBe4 / Accounts",
        "All accounts in one table, coloured and sorted by risk, each with a link to its overview: for those who look after several.",
        [numbers(), ranking(), *trends()], since="now-1y",
    )
