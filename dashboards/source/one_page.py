"""One page in portrait for the board of directors: made to be exported as PDF or printed."""

from .board import board
from .overview import departments, marks, phish_prone, rates_over_time, report_rate, resilience, risk_over_time, risk_score, trained


def dashboard():
    return board(
        "knowbe4-board", "KnowBe4 / Board report",
        "One page for the board of directors: risk, phishing tests and training of one organisation, against the time before and the targets.",
        [(5, risk_score(12), trained(12)), (5, phish_prone(12), report_rate(12)), (9, rates_over_time(24)), (9, risk_over_time(24)),
         departments(10), (4, resilience(24))],
        since="now-2y", refresh="1h", annotations=marks(), one=True, targets=True,
    )
