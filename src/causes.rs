//! An error and its causes, as one line: printed once, where the error is handled.

use std::error::Error;

/// The error and what led to it, outermost first. What a text says already isn't said again.
pub fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut last = line.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !last.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
            last = text;
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("the key can't be read")]
        Plain(#[source] io::Error),
        #[error("it failed: {0}")]
        Repeats(#[source] io::Error),
        #[error(transparent)]
        Through(#[from] io::Error),
    }

    #[test]
    fn each_cause_is_said_once() {
        let denied = || io::Error::new(io::ErrorKind::PermissionDenied, "permission denied");
        assert_eq!(
            causes(&Outer::Plain(denied())),
            "the key can't be read: permission denied"
        );
        assert_eq!(causes(&Outer::Repeats(denied())), "it failed: permission denied");
        assert_eq!(causes(&Outer::Through(denied())), "permission denied");
    }
}
