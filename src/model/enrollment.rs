//! The closed set of enrollment statuses, and counts by status.

use serde::{Deserialize, Serialize};

/// Status of a training enrollment. What the API writes and this set doesn't know is [`Self::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrollmentStatus {
    /// `Not Started`
    NotStarted,
    /// `In Progress`
    InProgress,
    /// `Completed`
    Completed,
    /// `Passed`
    Passed,
    /// `Past Due`: not finished when the campaign's due date passed; says nothing of whether it was begun.
    PastDue,
    /// Anything else, nothing included.
    Other,
}

impl EnrollmentStatus {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// All statuses, in the order in which they are shown.
    pub const ALL: [Self; Self::COUNT] = [
        Self::NotStarted,
        Self::InProgress,
        Self::Completed,
        Self::Passed,
        Self::PastDue,
        Self::Other,
    ];

    /// The value of the `status` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Passed => "passed",
            Self::PastDue => "past_due",
            Self::Other => "other",
        }
    }

    /// Reads the API's words, in any case and with spaces or underscores. [`None`] for words it doesn't know.
    pub fn from_api(text: &str) -> Option<Self> {
        let snake = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Self::ALL
            .into_iter()
            .find(|status| *status != Self::Other && status.as_str() == snake)
    }
}

/// Number of enrollments in each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatusCounts([u64; EnrollmentStatus::COUNT]);

impl StatusCounts {
    /// Counts one more enrollment.
    pub fn add(&mut self, status: EnrollmentStatus) {
        self.0[status as usize] += 1;
    }

    /// Takes in all that another counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// Number of enrollments in `status`.
    pub fn get(&self, status: EnrollmentStatus) -> u64 {
        self.0[status as usize]
    }

    /// All enrollments.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// (completed + passed) / all: 0 to 1, [`None`] without enrollments.
    pub fn completion_ratio(&self) -> Option<f64> {
        let done = self.get(EnrollmentStatus::Completed) + self.get(EnrollmentStatus::Passed);
        (self.total() > 0).then(|| done as f64 / self.total() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_as_the_api_writes_them() {
        assert_eq!(
            EnrollmentStatus::from_api("Past Due"),
            Some(EnrollmentStatus::PastDue)
        );
        assert_eq!(
            EnrollmentStatus::from_api("in progress"),
            Some(EnrollmentStatus::InProgress)
        );
        assert_eq!(EnrollmentStatus::from_api("Exempted"), None);
        assert_eq!(EnrollmentStatus::from_api("other"), None);
    }

    #[test]
    fn completion_counts_completed_and_passed() {
        let mut counts = StatusCounts::default();
        assert_eq!(counts.completion_ratio(), None);
        for status in EnrollmentStatus::ALL {
            counts.add(status);
        }
        assert_eq!(counts.completion_ratio(), Some(2.0 / 6.0));
    }
}
