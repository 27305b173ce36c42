//! Makes a stranger's text fit to be shown: one line, short, without the secrets of the request it
//! answers.
//!
//! It knows the secrets that one request carried and nothing of where the text came from.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// The most bytes of a message that are kept.
pub const MAX_MESSAGE: usize = 512;

/// What stands in a secret's place.
const MARK: &str = "[redacted]";

/// A secret shorter than this would take ordinary words with it: a message that bears one is withheld
/// as a whole.
const SHORT: usize = 4;

/// An encoded piece shorter than this says nothing about the secret and matches too much.
const SHORT_PIECE: usize = 6;

/// Removes the secrets of one request from texts.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret that contains another goes as a whole.
    needles: Vec<Zeroizing<String>>,
    /// Longest first, too: each is looked for in whatever way its characters are escaped.
    escapable: Vec<Zeroizing<String>>,
    short: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor of these secrets, in every form in which a service may echo them: as they are,
    /// escaped for JSON, for a URL or for HTML by whichever rules, and in base64 at each of the three
    /// alignments that a secret inside a longer text can have. Empty ones are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.add(secret);
        }
        redactor
    }

    /// Adds one more secret.
    pub fn add(&mut self, secret: &str) {
        let line = Zeroizing::new(one_line(secret));
        if line.trim().is_empty() {
            return;
        }
        if secret.chars().count() < SHORT {
            self.short.push(line);
            return;
        }
        let quoted = Zeroizing::new(serde_json::Value::from(secret).to_string());
        let quoted = Zeroizing::new(quoted[1..quoted.len() - 1].to_owned());
        let whole = Zeroizing::new(secret.to_owned());
        if !self.escapable.contains(&whole) {
            self.escapable.push(whole);
        }
        let mut forms = vec![line];
        for plain in [secret, &quoted] {
            forms.extend((0..3).map(|shift| base64_piece(plain.as_bytes(), shift)));
        }
        // Two habits of JSON writers: to escape the slash, and what HTML would stumble over.
        forms.push(Zeroizing::new(quoted.replace('/', "\\/")));
        let mut html = quoted.clone();
        for c in ['<', '>', '&', '=', '\''] {
            html = Zeroizing::new(html.replace(c, &format!("\\u{:04x}", u32::from(c))));
        }
        forms.push(html);
        forms.push(quoted);
        for form in forms {
            let url_safe = Zeroizing::new(form.replace('+', "-").replace('/', "_"));
            for form in [form, url_safe] {
                if form.len() >= SHORT_PIECE.min(secret.len()) && !self.needles.contains(&form) {
                    self.needles.push(form);
                }
            }
        }
        for forms in [&mut self.needles, &mut self.escapable] {
            forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        }
    }

    /// The text as one line of at most [`MAX_MESSAGE`] bytes, without control characters and without
    /// the secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut line = one_line(text);
        if self.short.iter().any(|short| line.contains(short.as_str())) {
            return MARK.to_owned();
        }
        for needle in &self.needles {
            if line.contains(needle.as_str()) {
                line = line.replace(needle.as_str(), MARK);
            }
        }
        for secret in &self.escapable {
            if find_escaped(&line, secret).is_some() {
                line = without_escaped(&line, secret);
            }
        }
        let line = line.trim();
        line[..line.floor_char_boundary(MAX_MESSAGE)]
            .trim_end()
            .to_owned()
    }

    /// Whether the text bears one of the secrets.
    pub fn finds_in(&self, text: &str) -> bool {
        let line = one_line(text);
        self.short
            .iter()
            .chain(&self.needles)
            .any(|needle| line.contains(needle.as_str()))
            || self
                .escapable
                .iter()
                .any(|secret| find_escaped(&line, secret).is_some())
    }
}

/// Where a text spells the secret, with any of its characters escaped for a URL or for HTML.
fn find_escaped(text: &str, secret: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find_map(|start| {
        let mut at = start;
        for &byte in secret.as_bytes() {
            at += spelled(&bytes[at..], byte)?;
        }
        Some(start..at)
    })
}

/// How many bytes at the beginning of the text stand for this one. An escape goes before the character that
/// begins it: whoever escapes at all escapes that.
fn spelled(text: &[u8], byte: u8) -> Option<usize> {
    let first = *text.first()?;
    escape(text)
        .filter(|(meant, _)| *meant == u32::from(byte))
        .map(|(_, length)| length)
        .or_else(|| (first == byte || (first == b'+' && byte == b' ')).then_some(1))
}

/// The escape at the beginning of the text: what it means, and its length.
fn escape(text: &[u8]) -> Option<(u32, usize)> {
    match text.first()? {
        b'%' => {
            let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
            Some((digit(1)? * 16 + digit(2)?, 3))
        }
        b'&' => {
            let end = text.iter().take(9).position(|&b| b == b';')?;
            let name = std::str::from_utf8(text.get(1..end)?).ok()?;
            let meant = match name {
                "amp" => u32::from(b'&'),
                "lt" => u32::from(b'<'),
                "gt" => u32::from(b'>'),
                "quot" => u32::from(b'"'),
                "apos" => u32::from(b'\''),
                _ => {
                    let number = name.strip_prefix('#')?;
                    match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    }
                }
            };
            Some((meant, end + 1))
        }
        _ => None,
    }
}

fn without_escaped(text: &str, secret: &str) -> String {
    let mut left = text;
    let mut clean = String::with_capacity(text.len());
    // A match begins and ends between characters: the secret's own begin and end there, or an escape does.
    while let Some(found) = find_escaped(left, secret) {
        clean.push_str(&left[..found.start]);
        clean.push_str(MARK);
        left = &left[found.end..];
    }
    clean.push_str(left);
    clean
}

/// Control characters, line separators and direction marks become spaces, and runs of space one space.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut spaced = false;
    for c in text.chars() {
        let c = match c {
            c if c.is_control() || c.is_whitespace() => ' ',
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => continue,
            c => c,
        };
        if c != ' ' || !spaced {
            line.push(c);
        }
        spaced = c == ' ';
    }
    line
}

/// What base64 of any text looks like where it holds `secret` at a position that is `shift` modulo 3:
/// the characters that depend on the secret alone.
fn base64_piece(secret: &[u8], shift: usize) -> Zeroizing<String> {
    let mut padded = Zeroizing::new(vec![0; shift]);
    padded.extend_from_slice(secret);
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(padded.as_slice()));
    let start = (shift * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    Zeroizing::new(encoded.get(start..end).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "Canary>?\"Pass /w0rd";

    #[test]
    fn a_secret_goes_in_every_form() {
        let redactor = Redactor::new([SECRET]);
        let json = serde_json::json!({ "user_pwd": SECRET }).to_string();
        let mut rows = vec![
            format!("bad password {SECRET}!"),
            format!("\"{SECRET}\""),
            json.clone(),
            utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string(),
            // As browsers, forms, paths and HTML have it.
            "Canary%3E%3F%22Pass%20%2Fw0rd".to_owned(),
            "Canary%3e%3f%22Pass+%2fw0rd".to_owned(),
            "Canary%3E?%22Pass%20/w0rd".to_owned(),
            "Canary&gt;?&quot;Pass&#32;&#x2F;w0rd".to_owned(),
            SECRET.replace(' ', "\n"),
            json.replace('/', "\\/"),
            json.replace('>', "\\u003e"),
        ];
        for prefix in ["", "a", "ab", "abc"] {
            for suffix in ["", "x", "xy"] {
                let text = format!("{prefix}{SECRET}{suffix}");
                rows.push(STANDARD.encode(&text));
                rows.push(URL_SAFE.encode(&text));
            }
        }
        rows.push(STANDARD.encode(&json));
        for row in &rows {
            let shown = redactor.clean(row);
            assert!(shown.contains(MARK), "{row} -> {shown}");
            assert!(!shown.contains("Canary"), "{row} -> {shown}");
            assert!(redactor.finds_in(row), "{row}");
        }
        assert_eq!(redactor.clean("no secret here"), "no secret here");
        crate::dws::figures::figure("dws-client", &format!("{} redaction rows", rows.len()));
    }

    #[test]
    fn a_text_becomes_one_short_line() {
        let redactor = Redactor::default();
        for (text, line) in [
            ("", ""),
            ("  a \r\n\t b\u{0}c\u{7f}  ", "a b c"),
            ("a\u{2028}b\u{202e}c\u{feff}", "a bc"),
            ("密码不合法。", "密码不合法。"),
        ] {
            assert_eq!(redactor.clean(text), line, "{text:?}");
        }
        let long = redactor.clean(&"密".repeat(400));
        assert_eq!(long.len(), 510);
    }

    #[test]
    fn a_short_secret_withholds_the_message() {
        let redactor = Redactor::new(["ab", "", " \n"]);
        assert_eq!(redactor.clean("about cabs"), MARK);
        assert_eq!(redactor.clean("nothing of it"), "nothing of it");
    }

    #[test]
    fn nothing_of_it_is_shown_by_debug() {
        assert_eq!(format!("{:?}", Redactor::new([SECRET])), "Redactor { .. }");
    }

    proptest! {
        #[test]
        fn no_secret_survives(secret in "\\PC{4,40}", before in ".{0,600}", after in ".{0,40}") {
            let redactor = Redactor::new([secret.as_str()]);
            let line = one_line(&secret);
            prop_assume!(line.trim().len() >= SHORT && !MARK.contains(line.trim()));
            let shown = redactor.clean(&format!("{before}{secret}{after}"));
            prop_assert!(shown.len() <= MAX_MESSAGE);
            prop_assert!(!shown.contains(&line), "{shown}");
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
