//! What `init` has to know: from flags, from whoever sits at the terminal, or by default.

use std::fmt::Display;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use crate::cli::{InitArgs, Others, PrometheusPlace, Target};
use crate::commands::Stop;
use crate::config::BaseUrl;
use crate::model::{AccountName, Region};

// Choices by the words that are typed, the default first.
const OTHERS: [(&str, Others); 3] = [
    ("some", Others::Some),
    ("none", Others::None),
    ("much", Others::Much),
];
const TARGETS: [(&str, Target); 3] = [
    ("systemd", Target::Systemd),
    ("kubernetes", Target::Kubernetes),
    ("other", Target::Other),
];
const PLACES: [(&str, PrometheusPlace); 3] = [
    ("here", PrometheusPlace::Here),
    ("elsewhere", PrometheusPlace::Elsewhere),
    ("operator", PrometheusPlace::Operator),
];

/// All answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    pub(super) account: AccountName,
    pub(super) region: Region,
    /// In place of the region.
    pub(super) base_url: Option<String>,
    /// Absolute.
    pub(super) key_file: PathBuf,
    pub(super) requests_per_day: u64,
    pub(super) others: Others,
    pub(super) target: Target,
    pub(super) prometheus: PrometheusPlace,
}

impl Answers {
    /// Takes the flags, and asks for what is missing: on `said` are the answers, and an empty one is the default.
    ///
    /// # Errors
    /// When a flag can't be right, or the file of the key is neither a flag nor an answer.
    pub(super) fn ask(flags: InitArgs, said: &mut dyn BufRead, asked: &mut dyn Write) -> Result<Self, Stop> {
        let mut dialogue = Dialogue { said, asked };
        if let Some(url) = &flags.base_url {
            url.parse::<BaseUrl>()
                .map_err(|error| Stop::usage(format!("--base-url: {error}")))?;
        }
        let region = match &flags.base_url {
            Some(_) => Region::Us,
            None => dialogue.value(
                "--region",
                "Region of the console, training.knowbe4.com is US: US, EU, CA, UK or DE",
                flags.region,
                Some("US"),
                |text| text.parse::<Region>().map_err(|error| error.to_string()),
            )?,
        };
        let key_file = flags.key_file.map(|path| path.display().to_string());
        Ok(Self {
            account: dialogue.value(
                "--account",
                "Name of the account, the label of its series",
                flags.account,
                Some("default"),
                account_of,
            )?,
            region,
            base_url: flags.base_url,
            key_file: dialogue.value("--key-file", "File that holds the API key", key_file, None, key_file_of)?,
            requests_per_day: dialogue.value(
                "--requests-per-day",
                "Requests a day that KnowBe4 allows the key: 2,000 and one for each licensed user, older keys 1,000",
                flags.requests_per_day.map(|number| number.to_string()),
                Some("1000"),
                quota_of,
            )?,
            others: dialogue.choice(
                "What else uses the quota",
                flags.others,
                &OTHERS,
            )?,
            target: dialogue.choice(
                "Where the exporter is to run",
                flags.target,
                &TARGETS,
            )?,
            prometheus: dialogue.choice(
                "Where Prometheus runs",
                flags.prometheus,
                &PLACES,
            )?,
        })
    }

    /// Of the quota, what the exporter may use.
    pub(super) fn share(&self) -> f64 {
        match self.others {
            Others::None => 0.95,
            Others::Some => 0.8,
            Others::Much => 0.5,
        }
    }
}

fn account_of(text: &str) -> Result<AccountName, String> {
    text.parse::<AccountName>()
        .map_err(|error| format!("{text:?}: {error}"))
}

fn quota_of(text: &str) -> Result<u64, String> {
    let number = text.replace([',', '_'], "").parse().ok();
    number
        .filter(|number| (1..=10_000_000).contains(number))
        .ok_or_else(|| format!("{text:?}: expected a whole number from 1 to 10,000,000"))
}

/// Relative to where `init` runs, since the service runs elsewhere.
fn key_file_of(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let whole = path.canonicalize().map_err(|error| format!("{text}: {error}"))?;
    if whole.is_file() {
        Ok(whole)
    } else {
        Err(format!("{text}: expected a file"))
    }
}

struct Dialogue<'a> {
    said: &'a mut dyn BufRead,
    asked: &'a mut dyn Write,
}

impl Dialogue<'_> {
    /// The flag if there is one, else what is answered, else the default. A wrong answer is asked for again.
    fn value<T>(
        &mut self,
        flag: &str,
        question: &str,
        given: Option<String>,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Stop> {
        if let Some(given) = given {
            return read(&given).map_err(|why| Stop::usage(format!("{flag}: {why}")));
        }
        loop {
            let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
            self.say(format!("{question}{shown}: "))?;
            let mut line = String::new();
            let ended = self.said.read_line(&mut line).map_err(Stop::failed)? == 0;
            let answer = match (line.trim(), default) {
                ("", Some(default)) => default,
                ("", None) if ended => {
                    return Err(Stop::usage(format!("{flag} is missing: expected {question:?}")));
                }
                ("", None) => continue,
                (answer, _) => answer,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => self.say(format!("{why}\n"))?,
            }
        }
    }

    /// One of several words, the first by default.
    fn choice<T: Copy>(
        &mut self,
        question: &str,
        given: Option<T>,
        choices: &[(&str, T)],
    ) -> Result<T, Stop> {
        if let Some(given) = given {
            return Ok(given);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let question = format!("{question}: {}", words.join(", "));
        self.value("", &question, None, words.first().copied(), |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found
                .map(|(_, choice)| *choice)
                .ok_or_else(|| format!("{text:?}: expected one of {}", words.join(", ")))
        })
    }

    fn say(&mut self, text: impl Display) -> Result<(), Stop> {
        write!(self.asked, "{text}")
            .and_then(|()| self.asked.flush())
            .map_err(Stop::failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> InitArgs {
        InitArgs {
            output: PathBuf::from("."),
            account: None,
            region: None,
            base_url: None,
            key_file: None,
            requests_per_day: None,
            others: None,
            target: None,
            prometheus: None,
            no_connect: true,
        }
    }

    #[test]
    fn answers_are_asked_for_until_they_are_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        std::fs::write(&key, "x").expect("written");
        let said = format!(
            "Europe\neu\nACME\nacme\n\n/nowhere\n{}\n2,500\nmuch\nkubernetes\nthere\noperator\n",
            key.display()
        );
        let mut asked = Vec::new();
        let answers = Answers::ask(flags(), &mut said.as_bytes(), &mut asked).expect("answers");
        let asked = String::from_utf8(asked).expect("UTF-8");
        assert_eq!((answers.account.as_str(), answers.region), ("acme", Region::Eu));
        assert_eq!((answers.requests_per_day, answers.share()), (2500, 0.5));
        assert_eq!(
            (answers.target, answers.prometheus),
            (Target::Kubernetes, PrometheusPlace::Operator)
        );
        for wrong in ["Europe", "ACME", "/nowhere", "there"] {
            assert!(asked.contains(wrong), "{wrong} is not refused:\n{asked}");
        }
    }

    #[test]
    fn what_nobody_says_has_a_default_but_the_key() {
        let error = Answers::ask(flags(), &mut std::io::empty(), &mut std::io::sink()).expect_err("no key");
        assert!(error.to_string().contains("--key-file"), "{error}");
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        std::fs::write(&key, "x").expect("written");
        let given = InitArgs {
            key_file: Some(key.clone()),
            ..flags()
        };
        let answers = Answers::ask(given, &mut std::io::empty(), &mut std::io::sink()).expect("answers");
        assert_eq!(
            (answers.account.as_str(), answers.region),
            ("default", Region::Us)
        );
        assert_eq!((answers.requests_per_day, answers.others), (1000, Others::Some));
        assert_eq!(answers.key_file, key.canonicalize().expect("a path"));
    }

    #[test]
    fn a_flag_that_cannot_be_right_ends_it() {
        for (wrong, given) in [
            (
                "--region",
                InitArgs {
                    region: Some("EMEA".to_owned()),
                    ..flags()
                },
            ),
            (
                "--account",
                InitArgs {
                    account: Some("A B".to_owned()),
                    ..flags()
                },
            ),
            (
                "--base-url",
                InitArgs {
                    base_url: Some("ftp://x".to_owned()),
                    ..flags()
                },
            ),
        ] {
            let error = Answers::ask(given, &mut std::io::empty(), &mut std::io::sink()).expect_err("wrong");
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }
}
