"""For the person who runs the phishing tests: what people did, which tests were worst and best, what the trend is."""

from . import queries as q, recipients
from .board import board
from .overview import BLUE, NO_TESTS, ORANGE, buckets, fixed, marks, phish_prone, rates_over_time, report_rate, resilience
from .panels import FINE, LOOK, PHISH_PRONE, REPORT_RATE, TEST_GAP, Column, bars, graph_of, lines, query, stat, table

RANGE = q.Tests(q.IN_RANGE)
NEWEST = RANGE.newest()
KIND = [{"id": "renameByRegex", "options": {"regex": "^([^_]*)_(.*)$", "renamePattern": "$1 $2"}}] * 3


def numbers():
    return (5,
        phish_prone(7), report_rate(6), resilience(5),
        (3, stat("Last test", "When the newest phishing test started. Of several accounts the one whose last test is longest ago.",
                 [query(f"max ({q.SINCE_TEST})")], unit="suffix: d", decimals=0, thresholds=TEST_GAP,
                 no_value=NO_TESTS)),
        (3, stat("Tests, 90 days", "Phishing tests that started within the last 90 days, those beyond max_tests included.",
                 [query(f"sum ({q.window('tests')})")], unit="locale", decimals=0, no_value=NO_TESTS)),
    )


def funnel():
    steps = [query(f"sum ({q.window(step)})", step.capitalize()) for step in ("scheduled", "bounced", "delivered", "opened", "failures", "reported")]
    kinds = q.latest("knowbe4_account_phishing_failures_by_kind", "failure", window='="90d"')
    of_90_days = "Of all tests that started within the last 90 days, those beyond max_tests included."
    return (9,
        (8, bars("Funnel, 90 days", f"Recipients at each step, from scheduled to reported. {of_90_days} Opening is no failure.", steps, unit="locale", decimals=0,
                 hue="blue", no_value=NO_TESTS, limits=(0, None),
                 overrides=[fixed("Failures", ORANGE), fixed("Reported", FINE)])),
        (8, bars("Failures by kind, 90 days", f"What people did. {of_90_days} Kinds that did not happen are left out.",
                 [query(f"sort_desc(sum by (failure) ({kinds}) > 0)", "{{failure}}")], unit="locale", decimals=0, hue="orange",
                 no_value="No failure, or no test known yet", limits=(0, None), transformations=KIND)),
        (8, table("By difficulty, 365 days", "All phishing tests of the last 365 days by the difficulty of their template, 1 very easy to 5 very hard, those "
                  "beyond max_tests included. A hard test fails more people: compare tests of the same difficulty. Without one: the API doesn't say it.",
                  [of_a_year("tests", "difficulty"), of_a_year("delivered", "difficulty"), ratio_of_a_year("failures", "difficulty"),
                   ratio_of_a_year("reported", "difficulty")],
                  [Column("difficulty", "Difficulty"), Column("A", "Tests", "locale", width=70, decimals=0), Column("B", "Delivered", "locale", width=90, decimals=0),
                   Column("C", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                   Column("D", "Reported", "percentunit", width=90, thresholds=REPORT_RATE, decimals=1)],
                  sort="Difficulty", descending=False, pages=False, no_value=NO_TESTS)),
    )


def of_a_year(name, *labels):
    """Sum over the tests of a year."""
    sums = q.latest(f"knowbe4_account_phishing_difficulty_{name}", "difficulty", window='="365d"')
    return f"sum by ({', '.join(labels)}) ({sums})"


def ratio_of_a_year(name, *labels):
    return f"{of_a_year(name, *labels)} / ({of_a_year('delivered', *labels)} > 0)"


def trends():
    return [
        (9,
         rates_over_time(12),
         (12, lines("Each test by its start", "One point for each test: the share of delivered messages that failed or were reported, at the time of "
                    "the test's start. Of many tests the newest 400.",
                    [query(RANGE.each("phish_prone_ratio"), table=True), query(RANGE.share("recipients_reported"), table=True),
                     query(f"1000 * {NEWEST}", table=True)],
                    unit="percentunit", no_value=NO_TESTS, limits=(0, None),
                    custom={"drawStyle": "points", "showPoints": "always", "pointSize": 6},
                    overrides=[fixed("Failed", ORANGE), fixed("Reported", BLUE)], transformations=POINTS))),
    ]


POINTS = [
    {"id": "merge", "options": {}},
    {"id": "filterFieldsByName", "options": {"include": {"names": ["Value #A", "Value #B", "Value #C"]}}},
    {"id": "organize", "options": {"excludeByName": {}, "indexByName": {"Value #C": 0, "Value #A": 1, "Value #B": 2},
                                   "renameByName": {"Value #A": "Failed", "Value #B": "Reported", "Value #C": "Start"}}},
    {"id": "convertFieldType", "options": {"conversions": [{"targetField": "Start", "destinationType": "time"}], "fields": {}}},
    {"id": "filterByValue", "options": {"type": "exclude", "match": "any", "filters": [
        {"fieldName": "Failed", "config": {"id": "isNull", "options": {}}}]}},
    {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Start", "desc": False}]}},
]


def extremes():
    # Of a handful of recipients nothing follows.
    enough = f"knowbe4_phishing_test_recipients_delivered{{{q.SELECTOR}}} >= 20 and on (account, test_id) {RANGE.newest(1000)}"
    hard = q.test(f"max by (account, test_id) (knowbe4_phishing_test_phish_prone_ratio{{{q.SELECTOR}}} and on (account, test_id) ({enough}))", "name", "difficulty", "template")
    apart = f"({hard} - on (account, difficulty) group_left () ({ratio_of_a_year('failures', 'account', 'difficulty')}))"
    columns = [Column("name", "Test"), Column("B", "Started", "dateTimeFromNow", width=115), Column("A", "Against year", "percentunit", width=105, decimals=1),
               Column("difficulty", "Diff.", width=70, align="center"), Column("template", "Template", width=130), Column.account(115)]
    about = (f"By the distance from the tests of the last 365 days of the same difficulty together, so that a hard test isn't worst for being hard. Of the newest 1,000 tests that started within the "
             "dashboard's time range, without those of fewer than 20 delivered messages.")
    def panel(title, text, chosen, descending):
        return (12, table(title, f"{text} {about}",
                          [chosen, f"1000 * {RANGE.newest(1000)}"],
                          columns, wanted="Against year", sort="Against year", descending=descending, top=8, no_value=NO_TESTS))
    return (10,
        panel("Worst tests of their difficulty", "The eight tests that caught the most people for what they are.", f"topk(8, {apart})", True),
        panel("Best tests of their difficulty", "The eight tests that caught the fewest people for what they are.", f"bottomk(8, {apart})", False),
    )


def tests():
    info = q.test(f"1000 * {NEWEST}", "name", "status", "template", "difficulty")
    return (14,
        (24, table("Tests", "Tests that started within the dashboard's time range, newest first, of many the newest 400. Click a heading to sort. – is not known, "
                   "which is not 0.",
                   [info, RANGE.each("recipients_delivered"), RANGE.share("recipients_opened"), RANGE.each("phish_prone_ratio"),
                    RANGE.share("recipients_reported"), RANGE.share("recipients_bounced", of="scheduled"),
                    RANGE.each("failures", match=', failure="data_entered"')],
                   [Column("name", "Test"), Column.account(115), Column("A", "Started", "dateTimeFromNow", width=120),
                    Column("D", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column("E", "Reported", "percentunit", width=90, thresholds=REPORT_RATE, decimals=1),
                    Column("G", "Entered data", "locale", width=105, decimals=0),
                    Column("B", "Delivered", "locale", width=90), Column("C", "Opened", "percentunit", width=80, decimals=0),
                    Column("F", "Bounced", "percentunit", width=85, decimals=1, thresholds=[(None, "text"), (0.05, LOOK)]),
                    Column("difficulty", "Difficulty", width=85, align="center"), Column("status", "Status", width=85),
                    Column("template", "Template", width=150)],
                   sort="Started", no_value=NO_TESTS)),
    )


def campaigns():
    family = "knowbe4_phishing_campaign_"
    info = q.named(q.latest(family + "tests", "campaign_id"), family + "info", "campaign_id", "name", "status", "frequency")
    return (11,
        (14, table("Campaigns", "Phishing campaigns: how often they run, when they last ran, and how the last test went.",
                   [info, "1000 * " + q.latest(family + "last_run_timestamp_seconds", "campaign_id"),
                    q.latest(family + "last_phish_prone_ratio", "campaign_id")],
                   [Column("name", "Campaign"), Column("B", "Last run", "dateTimeFromNow", width=125),
                    Column("C", "Last result", "percentunit", width=95, thresholds=PHISH_PRONE, decimals=1),
                    Column("A", "Tests", "locale", width=65, decimals=0), Column.account(115),
                    Column("status", "Status", width=80), Column("frequency", "Frequency", width=95)],
                   sort="Last run", no_value="No phishing campaign known yet")),
        (10, bars("People by phish-prone %", "Active users by their own phish-prone ratio over all their tests: ≤20 is above 10 % up to 20 %. Users "
                  "never tested count as 0, as KnowBe4 says.",
                  buckets("knowbe4_users_by_phish_prone_ratio", ["0", "0.05", "0.1", "0.2", "0.3", "0.5", "1", "+Inf"],
                          ["0", "≤5", "≤10", "≤20", "≤30", "≤50", "≤100", ">100"]),
                  vertical=True, unit="locale", decimals=0, hue="blue", no_value="No users known (anonymised accounts have none)", limits=(0, None))),
    )


def omitted():
    return (4,
        (12, stat("Mean over people, lower is better", "Mean of the active users' own phish-prone percentages over all their tests: a person with one test weighs as much as one "
                  "with twenty. KnowBe4's console leaves those out who were never tested, so that it may show more.",
                  [query(f"avg ({q.latest('knowbe4_users_phish_prone_ratio')})")], unit="percentunit", decimals=1, thresholds=PHISH_PRONE,
                  no_value="No users known (anonymised accounts have none)")),
        (12, stat("Tests without series of their own", "Tests beyond the newest phishing.max_tests: they are in all sums by month and by window, but not in what "
                  "these dashboards show of single tests.",
                  [query(f"sum ({q.latest('knowbe4_phishing_tests_omitted')})")], unit="locale", decimals=0, no_value=NO_TESTS)),
    )


def sums():
    """Of all tests, also those without series of their own."""
    def by(label, prefix):
        total = lambda name: f"sum by ({label}) ({q.latest(f'knowbe4_account_phishing_{prefix}{name}', label)})"
        delivered = f"({total('delivered')} > 0)"
        made = [total("tests"), total("delivered"), f"{total('failures')} / {delivered}", f"{total('reported')} / {delivered}"]
        # What the exporter says of one account at once.
        return made + ([f"max by (window) ({q.latest('knowbe4_account_phish_prone_ratio', 'window')})"] if not prefix else [])
    def columns(label, title):
        return [Column(label, title), Column("A", "Tests", "locale", width=90, decimals=0), Column("B", "Delivered", "locale", width=110, decimals=0),
                Column("C", "Phish-prone", "percentunit", width=110, thresholds=PHISH_PRONE, decimals=1),
                Column("D", "Reported", "percentunit", width=100, thresholds=REPORT_RATE, decimals=1)] + (
                    [Column("E", "Worst account", "percentunit", width=120, thresholds=PHISH_PRONE, decimals=1)] if label == "window" else [])
    return (10,
        (12, table("By month", "All phishing tests by the month of their start (UTC), those beyond max_tests included.", by("month", "month_"),
                   columns("month", "Month"), sort="Month", no_value=NO_TESTS)),
        (12, table("By window", "All phishing tests that started within each configured window, those beyond max_tests included.", by("window", ""),
                   columns("window", "Window"), sort="Delivered", descending=False, no_value=NO_TESTS)),
    )


def dashboard():
    return board(
        "knowbe4-phishing", "KnowBe4 / Phishing tests",
        "Phishing campaigns and tests: from delivered to reported, failures by kind, difficulty, the worst and the best tests, trends.",
        [numbers(), funnel(), *trends(), recipients.outcomes(), *recipients.speed(), extremes(), tests(), campaigns(), sums(), omitted()], since="now-1y",
        annotations=marks(), one=True, targets=True, console=True,
    )
