//! A page of HTML, without scripts, images or anything from elsewhere. Text is escaped by its type: only [`Markup`] stands
//! as it is.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style sheet of all pages: light and dark, and narrow screens.
const STYLE: &str = include_str!("style.css");

/// A whole document.
pub(super) fn document(title: &str, body: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    document.into_string().chars().map(harmless).collect()
}

/// Control characters are no HTML, and direction overrides make text lie about its order.
fn harmless(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        _ if character.is_control() => '\u{FFFD}',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let digits = colour.trim_start_matches('#');
        let width = digits.len() / 3;
        let channel = |index: usize| {
            let digits = &digits[index * width..(index + 1) * width];
            let full = if width == 1 {
                digits.repeat(2)
            } else {
                digits.to_owned()
            };
            let value = f64::from(u8::from_str_radix(&full, 16).expect("hexadecimal")) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
    }

    #[test]
    fn all_text_has_contrast_in_light_and_dark() {
        let schemes: Vec<_> = STYLE.split(":root{").skip(1).collect();
        assert_eq!(schemes.len(), 2);
        for scheme in schemes {
            let colour = |name: &str| {
                let (_, rest) = scheme.split_once(&format!("--{name}:")).expect(name);
                luminance(rest.split([';', '}', '\n']).next().expect("a colour"))
            };
            for (ink, paper) in [
                ("ink", "bg"),
                ("ink", "card"),
                ("soft", "bg"),
                ("soft", "card"),
                ("link", "bg"),
                ("link", "card"),
                ("link", "calm-bg"),
                ("good", "good-bg"),
                ("bad", "bad-bg"),
                ("warn", "warn-bg"),
                ("calm", "calm-bg"),
            ] {
                let (a, b) = (colour(ink), colour(paper));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{ink} on {paper}: {contrast:.2}");
            }
        }
    }
}
