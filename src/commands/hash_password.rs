//! `hash-password`: a password from standard input, its bcrypt hash on standard output.
//!
//! Of a terminal the password is asked twice, unseen. It is kept nowhere, and no message repeats it.

use std::io::{self, BufRead, IsTerminal, Read as _};

use zeroize::Zeroizing;

use super::{Ending, Stop, output};

/// bcrypt's cost, 70 ms: the least that OWASP asks for, and what the documentation of the format uses. The endpoint
/// checks one new pair of name and password at a time: each step more doubles how long a guess takes, and how long
/// a Prometheus that has just started waits behind one.
const COST: u32 = 10;

/// Bytes that bcrypt looks at.
const LONGEST: usize = 72;

/// Enough to see that a password is too long.
const MOST: u64 = 4096;

pub(super) fn hash_password() -> Ending {
    let mut input = io::stdin().lock();
    let password = if input.is_terminal() {
        drop(input);
        typed()
    } else {
        line(&mut input)
    }?;
    let hash = bcrypt::hash(good(&password)?, COST).map_err(Stop::failed)?;
    output::print(&format!("{hash}\n"))
}

/// One line, without its end.
fn line(input: &mut impl BufRead) -> Result<Zeroizing<Vec<u8>>, Stop> {
    let mut line = Zeroizing::new(Vec::with_capacity(MOST as usize));
    input
        .take(MOST)
        .read_until(b'\n', &mut line)
        .map_err(Stop::failed)?;
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    Ok(line)
}

/// Asks for it twice, since nobody can see what they type.
fn typed() -> Result<Zeroizing<Vec<u8>>, Stop> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(|text| Zeroizing::new(text.into_bytes()))
            .map_err(|error| Stop::said(format!("the terminal can't be asked for a password: {error}")))
    };
    let password = ask("Password: ")?;
    if ask("Again: ")? == password {
        Ok(password)
    } else {
        Err(Stop::said("the two passwords differ"))
    }
}

fn good(password: &[u8]) -> Result<&[u8], Stop> {
    match password.len() {
        0 => Err(Stop::said(
            "the password is empty: expected it as one line on standard input",
        )),
        1..=LONGEST if password.contains(&0) => Err(Stop::said(
            "the password holds a NUL byte, which ends it for bcrypt",
        )),
        1..=LONGEST => Ok(password),
        _ => Err(Stop::said(format!(
            "the password is longer than {LONGEST} bytes, and bcrypt looks at no more: expected a shorter one"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<u8> {
        line(&mut &*text).expect("read").to_vec()
    }

    #[test]
    fn one_line_without_its_end() {
        for (text, wanted) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b" spaces stay \n", b" spaces stay "),
            (b"first\nsecond\n", b"first"),
            (b"\n", b""),
            (b"", b""),
        ] {
            assert_eq!(read(text), wanted);
        }
    }

    #[test]
    fn what_bcrypt_would_cut_or_take_from_everyone_is_refused() {
        assert!(good(&[b'x'; LONGEST]).is_ok());
        for bad in [&b""[..], &[b'x'; LONGEST + 1], b"a\0b"] {
            assert!(good(bad).is_err(), "{bad:?}");
        }
        let twice_too_long = read(&[b'x'; 2 * MOST as usize]);
        assert!(good(&twice_too_long).is_err());
    }
}
