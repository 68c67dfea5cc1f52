"""For the person who runs the phishing tests: what people did, which tests were worst and best, what the trend is."""

from . import queries as q
from .board import board
from .overview import NO_TESTS, buckets, fixed, rolling
from .panels import PHISH_PRONE, REPORT_RATE, TEST_GAP, Column, bars, graph_of, lines, query, stat, table

RANGE = q.Tests(q.IN_RANGE)
OF_RANGE = "Of the tests that started within the dashboard's time range."
DIFFICULTY = {"1": "1 very easy", "2": "2 easy", "3": "3 medium", "4": "4 hard", "5": "5 very hard", "": "not known"}
KIND = [{"id": "renameByRegex", "options": {"regex": "^([^_]*)_(.*)$", "renamePattern": "$1 $2"}}] * 3


def numbers():
    start = q.latest("knowbe4_phishing_test_start_timestamp_seconds", "test_id")
    return (4,
        (5, stat("Phish-prone", f"Failures over delivered messages. {OF_RANGE} One person can fail in several ways, so it may exceed 100 %.",
                 [query(RANGE.phish_prone())], unit="percentunit", decimals=1, thresholds=PHISH_PRONE, no_value=NO_TESTS)),
        (5, stat("Report rate", f"Reported over delivered messages. {OF_RANGE}",
                 [query(RANGE.report_rate())], unit="percentunit", decimals=1, thresholds=REPORT_RATE, no_value=NO_TESTS)),
        (5, stat("Last test", "When the newest phishing test started. Of several accounts the one whose last test is longest ago.",
                 [query(f"max ((time() - max by (account) ({start})) / 86400)")], unit="suffix: d ago", decimals=0, thresholds=TEST_GAP,
                 no_value=NO_TESTS)),
        (5, stat("Tests", "Phishing tests that started within the dashboard's time range.",
                 [query(f"count ({RANGE.recent(RANGE.start)})")], unit="locale", decimals=0, no_value=NO_TESTS)),
        (4, stat("Left out", "Tests beyond the newest phishing.max_tests: they have no series of their own, and the sums over tests on "
                 "these dashboards miss them.",
                 [query(f"sum ({q.latest('knowbe4_phishing_tests_omitted')})")], unit="locale", decimals=0, no_value=NO_TESTS)),
    )


def funnel():
    parts = [("Scheduled", "recipients_scheduled"), ("Bounced", "recipients_bounced"), ("Delivered", "recipients_delivered"),
             ("Opened", "recipients_opened")]
    steps = [query(RANGE.sum(RANGE.value(part)), name) for name, part in parts]
    steps += [query(RANGE.sum(RANGE.failed), "Failures"), query(RANGE.sum(RANGE.reported), "Reported")]
    kinds = RANGE.value("failures", ", failure")
    return (9,
        (8, bars("Funnel", f"Recipients at each step, from scheduled to reported. {OF_RANGE} Opening is no failure.", steps, unit="locale", decimals=0,
                 hue="blue", no_value=NO_TESTS, limits=(0, None),
                 overrides=[fixed("Failures", "orange"), fixed("Reported", "green")])),
        (8, bars("Failures by kind", f"What people did. {OF_RANGE} Kinds that did not happen are left out.",
                 [query(f"sort_desc(sum by (failure) ({RANGE.recent(kinds)}) > 0)", "{{failure}}")], unit="locale", decimals=0, hue="orange",
                 no_value="No failure, or no test known yet", limits=(0, None), transformations=KIND)),
        (8, bars("Phish-prone by difficulty", f"Failures over delivered messages by the difficulty of the test's template. {OF_RANGE} A hard test "
                 "fails more people: compare tests of the same difficulty.",
                 [query(by_difficulty(level), text) for level, text in DIFFICULTY.items()],
                 unit="percentunit", decimals=1, thresholds=PHISH_PRONE, no_value=NO_TESTS, limits=(0, None))),
    )


def by_difficulty(level):
    """An empty matcher is a test whose difficulty the API doesn't tell."""
    of = f'knowbe4_phishing_test_info{{{q.SELECTOR}, difficulty="{level}"}}'
    return RANGE.ratio(f"({RANGE.failed} and on (account, test_id) {of})")


def trends():
    return [
        (9,
         (12, lines("Phish-prone and report rate, rolling",
                    "For each moment the tests that started in the 30 or 90 days before it, with what is known of these tests now: so the past is "
                    "there with the first reading. The newest tests still run, and their values still grow.",
                    [graph_of(rolling(30).phish_prone(), "Phish-prone, 30 days"), graph_of(rolling(90).phish_prone(), "Phish-prone, 90 days"),
                     graph_of(rolling(90).report_rate(), "Report rate, 90 days")],
                    unit="percentunit", no_value=NO_TESTS, limits=(0, None), interval=q.STEP,
                    overrides=[fixed("Phish-prone, 30 days", "yellow"), fixed("Phish-prone, 90 days", "orange"),
                               fixed("Report rate, 90 days", "blue")])),
         (12, lines("Each test by its start", "One point for each test: the share of delivered messages that failed or were reported, at the time of "
                    "the test's start.",
                    [query(RANGE.each(RANGE.failed), table=True), query(RANGE.each(RANGE.reported), table=True),
                     query(f"1000 * {RANGE.start}", table=True)],
                    unit="percentunit", no_value=NO_TESTS, limits=(0, None),
                    custom={"drawStyle": "points", "showPoints": "always", "pointSize": 6},
                    overrides=[fixed("Failed", "orange"), fixed("Reported", "blue")], transformations=POINTS))),
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
    large = f"{RANGE.each(RANGE.failed)} and on (account, test_id) ({RANGE.delivered} >= 20)"
    columns = [Column("name", "Test"), Column("A", "Phish-prone", "percentunit", width=100, thresholds=PHISH_PRONE, decimals=1),
               Column("account", "Account", width=90), Column("difficulty", "Diff.", width=55, align="center")]
    about = f"{OF_RANGE} Tests with fewer than 20 delivered messages are left out."
    return (10,
        (12, table("Worst tests", f"The eight tests with the highest phish-prone ratio. {about}",
                   [f"topk(8, {q.test(large, 'name', 'difficulty')})"], columns, sort="Phish-prone", top=8, no_value=NO_TESTS)),
        (12, table("Best tests", f"The eight tests with the lowest phish-prone ratio. {about}",
                   [f"bottomk(8, {q.test(large, 'name', 'difficulty')})"], columns, sort="Phish-prone", descending=False, top=8,
                   no_value=NO_TESTS)),
    )


def tests():
    info = q.test(f"1000 * ({RANGE.recent(RANGE.start)})", "name", "status", "template", "difficulty")
    kept = lambda expression: RANGE.recent(expression)
    ratio = "knowbe4_phishing_test_phish_prone_ratio"
    return (14,
        (24, table("Tests", "Every test that started within the dashboard's time range, newest first. Click a heading to sort. – is not known, "
                   "which is not 0.",
                   [info, kept(RANGE.delivered), RANGE.each(RANGE.value("recipients_opened")), kept(q.latest(ratio, "test_id")),
                    RANGE.each(RANGE.reported)],
                   [Column("name", "Test"), Column("account", "Account", width=100), Column("A", "Started", "dateTimeFromNow", width=120),
                    Column("D", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column("E", "Reported", "percentunit", width=90, thresholds=REPORT_RATE, decimals=1),
                    Column("B", "Delivered", "locale", width=90), Column("C", "Opened", "percentunit", width=80, decimals=0),
                    Column("difficulty", "Difficulty", width=85, align="center"), Column("status", "Status", width=85),
                    Column("template", "Template", width=150)],
                   sort="Started", no_value=NO_TESTS)),
    )


def campaigns():
    family = "knowbe4_phishing_campaign_"
    info = q.named(q.latest(family + "tests", "campaign_id"), family + "info", "campaign_id", "name", "status", "frequency")
    return (10,
        (14, table("Campaigns", "Phishing campaigns: how often they run, when they last ran, and how the last test went.",
                   [info, "1000 * " + q.latest(family + "last_run_timestamp_seconds", "campaign_id"),
                    q.latest(family + "last_phish_prone_ratio", "campaign_id")],
                   [Column("name", "Campaign"), Column("B", "Last run", "dateTimeFromNow", width=125),
                    Column("C", "Last result", "percentunit", width=95, thresholds=PHISH_PRONE, decimals=1),
                    Column("A", "Tests", "locale", width=65, decimals=0), Column("account", "Account", width=90),
                    Column("status", "Status", width=80), Column("frequency", "Frequency", width=95)],
                   sort="Last run", no_value="No phishing campaign known yet")),
        (10, bars("People by phish-prone %", "Active users by their own phish-prone ratio over all their tests: ≤20 is above 10 % up to 20 %. Users "
                  "never tested count as 0, as KnowBe4 says.",
                  buckets("knowbe4_users_by_phish_prone_ratio", ["0", "0.05", "0.1", "0.2", "0.3", "0.5", "1", "+Inf"],
                          ["0", "≤5", "≤10", "≤20", "≤30", "≤50", "≤100", ">100"]),
                  vertical=True, unit="locale", decimals=0, hue="blue", no_value="No users known (anonymised accounts have none)", limits=(0, None))),
    )


def windows():
    return (8,
        (24, lines("Phish-prone by window, as recorded", "The exporter's own sums over all tests of each configured window, those beyond max_tests "
                   "included, as they were at the time.",
                   [graph_of(q.latest("knowbe4_account_phish_prone_ratio", "window"), "{{account}} {{window}}")],
                   unit="percentunit", no_value=NO_TESTS)),
    )


def sums():
    """Of all tests, also those without series of their own."""
    def by(label, prefix):
        total = lambda name: f"sum by ({label}) ({q.latest(f'knowbe4_account_phishing_{prefix}{name}', label)})"
        delivered = f"({total('delivered')} > 0)"
        return [total("tests"), total("delivered"), f"{total('failures')} / {delivered}", f"{total('reported')} / {delivered}"]
    def columns(label, title):
        return [Column(label, title), Column("A", "Tests", "locale", width=90, decimals=0), Column("B", "Delivered", "locale", width=110, decimals=0),
                Column("C", "Phish-prone", "percentunit", width=110, thresholds=PHISH_PRONE, decimals=1),
                Column("D", "Reported", "percentunit", width=100, thresholds=REPORT_RATE, decimals=1)]
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
        [numbers(), funnel(), *trends(), extremes(), tests(), campaigns(), sums(), windows()], since="now-1y",
    )
