//! The table that leads to each account, the worst first, and the field that finds one by its name.

use maud::{Markup, html};

use super::super::moment::Moment;
use super::super::view::AccountView;
use super::super::words;
use super::{tag, text};

/// The field, which offers the names of `accounts` while somebody types.
pub(super) fn find(accounts: &[AccountView], typed: &str) -> Markup {
    html! {
        form class="find" role="search" {
            label for="Find" { "Find an account" } " "
            input id="Find" name="account" value=(typed) list="Names" autocomplete="off" autocapitalize="none"
                spellcheck="false";
            " " button { "Show" }
            datalist id="Names" {
                @for account in accounts { option value=(account.account) {} }
            }
        }
    }
}

/// The index of these accounts, in their order. Those for which `here` holds are on the same page.
pub(super) fn index(accounts: &[&AccountView], now: f64, here: impl Fn(&AccountView) -> bool) -> Markup {
    html! {
        section class="card" aria-label="Accounts" {
            table class="wide index" role="table" {
                caption { "Accounts, the worst first" }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in ["Account", "Trouble", "Oldest data", "Budget of 24 hours"] {
                            th scope="col" role="columnheader" { (column) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for account in accounts { (row(account, now, here(account))) }
                }
            }
        }
    }
}

fn row(account: &AccountView, now: f64, here: bool) -> Markup {
    let name = account.account.as_str();
    let oldest = account.oldest_age_seconds.and_then(|age| Moment::new(now - age));
    html! {
        // Each account has one place of this name: here, or where its details are.
        tr role="row" id=[(!here).then_some(name)] {
            th scope="row" role="rowheader" {
                a href={ (if here { "#" } else { "?account=" }) (name) } { (name) } " " (tag(account.condition))
            }
            td role="cell" class="short" data-label="Trouble" { (words::trouble(account)) }
            td role="cell" class="short" data-label="Oldest data" {
                @match oldest {
                    Some(at) => (text(&words::relative(&at, now))),
                    None => "none",
                }
            }
            td role="cell" class="short num" data-label="Budget" {
                @match account.day().filter(|day| day.limit > 0) {
                    Some(day) => { (day.used) " of " (day.limit) " used" }
                    None => "not known yet",
                }
            }
        }
    }
}
