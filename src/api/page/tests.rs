//! Every listing is complete in every dialect, and no server makes it endless.

use proptest::prelude::*;

use super::*;

/// A server with `len` rows, numbered from 0.
#[derive(Debug, Clone, Copy)]
struct Server {
    len: usize,
    /// Most rows a page, whatever `per_page` says.
    cut: usize,
    dialect: Dialect,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Dialect {
    Brief,
    BriefIgnoresPage,
    TotalOnly,
    TotalOnlyIgnoresPage,
    LinkOnly,
    Recorded,
    CursorIgnoresPage,
    CursorRefusesPage,
    IgnoresPage,
    RepeatsCursor,
}

fn rows(server: Server, from: usize, per_page: usize) -> Vec<usize> {
    (from..server.len.min(from + per_page)).collect()
}

/// `None`: refused.
fn answer(server: Server, ask: &Ask) -> Option<(Vec<usize>, Seen)> {
    let per_page = (ask.per_page as usize).min(server.cut);
    let page = ask.page.unwrap_or(1) as usize;
    let pages = server.len.div_ceil(per_page);
    let mut seen = Seen::default();
    let from = match server.dialect {
        Dialect::Brief | Dialect::TotalOnly | Dialect::LinkOnly | Dialect::Recorded => (page - 1) * per_page,
        Dialect::IgnoresPage | Dialect::BriefIgnoresPage | Dialect::TotalOnlyIgnoresPage => 0,
        Dialect::CursorIgnoresPage | Dialect::RepeatsCursor => {
            ask.cursor.as_ref().and_then(|c| c.parse().ok()).unwrap_or(0)
        }
        Dialect::CursorRefusesPage => {
            if ask.page.is_some() {
                return None;
            }
            ask.cursor.as_ref().and_then(|c| c.parse().ok()).unwrap_or(0)
        }
    };
    let rows = rows(server, from, per_page);
    match server.dialect {
        Dialect::Brief | Dialect::BriefIgnoresPage => {
            seen.total = Some(server.len as u64);
            seen.total_pages = Some(pages as u64);
            seen.linked = true;
            seen.next_page = (page < pages).then_some(page as u64 + 1);
        }
        Dialect::TotalOnly | Dialect::TotalOnlyIgnoresPage => seen.total = Some(server.len as u64),
        Dialect::LinkOnly => {
            seen.linked = true;
            seen.next_page = (page < pages).then_some(page as u64 + 1);
        }
        Dialect::CursorIgnoresPage | Dialect::CursorRefusesPage if ask.cursor.is_some() => {
            seen.next_cursor = (from + per_page < server.len).then(|| (from + per_page).to_string());
        }
        Dialect::RepeatsCursor => seen.next_cursor = Some("7".into()),
        _ => {}
    }
    seen.rows = rows.len();
    Some((rows, seen))
}

/// Reads all rows: those that count in order, and the number of requests.
fn read(server: Server, slow: impl Fn(usize) -> bool) -> Result<(Vec<usize>, usize), (&'static str, usize)> {
    let mut pager = Pager::default();
    let mut got = Vec::new();
    for request in 1..100_000 {
        if slow(request) && pager.smaller() {
            continue;
        }
        let step = match answer(server, &pager.ask().clone()) {
            Some((page, mut seen)) => {
                seen.repeats = !page.is_empty() && page.iter().all(|row| got.contains(row));
                let step = pager.seen(&seen);
                if matches!(step, Step::Next(_) | Step::Last) {
                    got.extend(
                        page.into_iter()
                            .filter(|row| !got.contains(row))
                            .collect::<Vec<_>>(),
                    );
                }
                step
            }
            None => pager.refused().expect("only a second page is refused"),
        };
        match step {
            Step::Next(_) | Step::Discard(_) => {}
            Step::Last | Step::Complete => return Ok((got, request)),
            Step::Broken(why) => return Err((why, request)),
        }
    }
    panic!("endless");
}

const COMPLETE: [Dialect; 6] = [
    Dialect::Brief,
    Dialect::TotalOnly,
    Dialect::LinkOnly,
    Dialect::Recorded,
    Dialect::CursorIgnoresPage,
    Dialect::CursorRefusesPage,
];

#[test]
fn every_listing_is_complete_in_every_dialect() {
    for dialect in COMPLETE {
        for len in [
            0, 1, 9, 10, 11, 25, 99, 100, 101, 250, 499, 500, 501, 999, 1000, 1001, 1500,
        ] {
            for cut in [10, 20, 25, 100, 500, 1000] {
                let server = Server { len, cut, dialect };
                let (got, _) = read(server, |_| false).unwrap_or_else(|why| panic!("{server:?}: {why:?}"));
                assert_eq!(got.len(), len, "{server:?}");
            }
        }
    }
}

#[test]
fn no_request_is_wasted_where_the_end_is_plain() {
    for dialect in COMPLETE {
        for (len, requests) in [(0, 1), (3, 1), (499, 1), (501, 2), (1203, 3)] {
            let (_, asked) = read(
                Server {
                    len,
                    cut: 500,
                    dialect,
                },
                |_| false,
            )
            .expect("complete");
            assert_eq!(asked, requests, "{dialect:?} {len}");
        }
    }
    for (dialect, requests) in [
        (Dialect::Brief, 1),
        (Dialect::Recorded, 2),
        (Dialect::CursorRefusesPage, 3),
        (Dialect::CursorIgnoresPage, 3),
    ] {
        let (_, asked) = read(
            Server {
                len: 500,
                cut: 500,
                dialect,
            },
            |_| false,
        )
        .expect("complete");
        assert_eq!(asked, requests, "{dialect:?}");
    }
}

#[test]
fn a_server_that_repeats_itself_is_left_at_once() {
    for (dialect, most) in [
        (Dialect::IgnoresPage, 3),
        (Dialect::RepeatsCursor, 2),
        (Dialect::BriefIgnoresPage, 2),
        (Dialect::TotalOnlyIgnoresPage, 2),
    ] {
        for cut in [30, 100, 500] {
            let server = Server {
                len: 900,
                cut,
                dialect,
            };
            let (_, asked) = read(server, |_| false).expect_err("broken");
            assert!(asked <= most, "{server:?}: {asked}");
        }
    }
}

#[test]
fn what_announces_its_length_is_complete_however_it_is_cut() {
    for dialect in [Dialect::Brief, Dialect::TotalOnly, Dialect::LinkOnly] {
        for cut in [1, 7, 40, 333, 499] {
            let server = Server {
                len: 777,
                cut,
                dialect,
            };
            let (got, _) = read(server, |_| false).unwrap_or_else(|why| panic!("{server:?}: {why:?}"));
            assert_eq!(got.len(), 777, "{server:?}");
        }
    }
}

#[test]
fn a_page_missing_in_the_middle_is_no_end() {
    let mut pager = Pager::default();
    let seen = Seen {
        rows: 500,
        total_pages: Some(3),
        ..Seen::default()
    };
    assert!(matches!(pager.seen(&seen), Step::Next(_)));
    let empty = Seen {
        total_pages: Some(3),
        ..Seen::default()
    };
    assert!(matches!(pager.seen(&empty), Step::Broken(_)));
}

#[test]
fn the_announced_number_of_pages_may_grow_while_reading() {
    let mut pager = Pager::default();
    for (all, page) in [(2, 2), (3, 3)] {
        let seen = Seen {
            rows: 500,
            total_pages: Some(all),
            ..Seen::default()
        };
        assert_eq!(
            pager.seen(&seen),
            Step::Next(Ask {
                cursor: None,
                page: Some(page),
                per_page: 500
            })
        );
    }
    assert_eq!(
        pager.seen(&Seen {
            rows: 500,
            total_pages: Some(3),
            ..Seen::default()
        }),
        Step::Last
    );
}

proptest! {
    #[test]
    fn timeouts_make_pages_smaller_and_lose_nothing(
        len in 0_usize..1600,
        dialect in prop::sample::select(COMPLETE.to_vec()),
        slow in prop::collection::hash_set(1_usize..12, 0..4),
    ) {
        let server = Server { len, cut: 500, dialect };
        let (got, _) = read(server, |request| slow.contains(&request)).expect("complete");
        prop_assert_eq!(got.len(), len);
    }
}

/// A second page that takes too long is still the question whether there is one.
#[test]
fn a_slow_second_page_of_a_server_without_pages_is_settled_by_cursor() {
    for dialect in [Dialect::CursorIgnoresPage, Dialect::CursorRefusesPage] {
        for slow in [&[2][..], &[2, 3], &[2, 3, 4], &[2, 4]] {
            let server = Server {
                len: 500,
                cut: 500,
                dialect,
            };
            let (got, _) = read(server, |request| slow.contains(&request)).expect("complete");
            assert_eq!(got.len(), 500, "{dialect:?} {slow:?}");
        }
    }
}
