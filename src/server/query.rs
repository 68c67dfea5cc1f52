//! The query of a URL: the one parameter that is known.

use super::percent;

/// Name of the parameter that picks an account.
pub(super) const ACCOUNT: &str = "account";

/// The query can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// `?account=a&account=b`: which one is meant?
    #[error("the parameter \"account\" stands twice: expected it once at most")]
    Repeated,
    /// `?account=`: neither all accounts nor one.
    #[error("the parameter \"account\" is empty: expected the name of an account, or leave it out for all")]
    Empty,
    /// `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the query is malformed: expected UTF-8, percent-encoded")]
    Malformed,
}

/// The account that the query picks, if any. Other parameters are ignored.
pub(super) fn account(query: Option<&str>) -> Result<Option<String>, QueryError> {
    let mut account = None;
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(name)? != ACCOUNT {
            continue;
        }
        if account.replace(decode(value)?).is_some() {
            return Err(QueryError::Repeated);
        }
    }
    match account {
        Some(account) if account.is_empty() => Err(QueryError::Empty),
        account => Ok(account),
    }
}

/// Undoes percent-encoding and `+` for a space.
fn decode(text: &str) -> Result<String, QueryError> {
    percent::decode(&text.replace('+', " ")).ok_or(QueryError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_or_none() {
        for (query, wanted) in [
            ("", Ok(None)),
            ("x=1&y", Ok(None)),
            ("account=acme", Ok(Some("acme"))),
            ("x=%3D&account=a%63me&y=2", Ok(Some("acme"))),
            ("%61ccount=a+b%2Bc", Ok(Some("a b+c"))),
            ("account=a=b", Ok(Some("a=b"))),
            ("account=%c3%BC", Ok(Some("\u{fc}"))),
            ("account=a&account=b", Err(QueryError::Repeated)),
            ("account=a&account=a", Err(QueryError::Repeated)),
            ("account=", Err(QueryError::Empty)),
            ("account", Err(QueryError::Empty)),
            ("account=%", Err(QueryError::Malformed)),
            ("account=%4", Err(QueryError::Malformed)),
            ("account=%zz", Err(QueryError::Malformed)),
            ("account=%ff", Err(QueryError::Malformed)),
        ] {
            assert_eq!(
                account(Some(query)),
                wanted.map(|value| value.map(str::to_owned)),
                "{query}"
            );
        }
        assert_eq!(account(None), Ok(None));
    }
}
