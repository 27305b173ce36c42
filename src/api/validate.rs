//! What a single text of a manifest must look like: the regular expressions that the schema's rules
//! use, and pure functions that judge the same for callers inside the operator.
//!
//! Each function accepts exactly what its expression and the field's `maxLength` accept together
//! (shown by property tests), so a value that passes the API server passes here and the reverse.

/// Name of a cluster or snapshot at the service (reference 5.1.1 and 5.2.1): a letter, then letters,
/// digits, `-` or `_`, 4 to 64 characters.
pub const SERVICE_NAME: &str = "^[a-zA-Z][a-zA-Z0-9_-]{3,63}$";
/// An id of the service: a UUID in lower case, as the service itself writes it, so that ids can be
/// compared as they stand.
pub const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
/// Name of the database administrator (reference 5.1.1): 1 to 63 characters.
pub const ADMIN_USER: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Name of a Kubernetes object (RFC 1123 subdomain); at most 253 characters, which the expression
/// does not say.
pub const OBJECT_NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// Key in a Secret: 1 to 253 characters.
pub const SECRET_KEY: &str = "^[-._a-zA-Z0-9]{1,253}$";
/// What a snapshot's description must not contain (reference 5.2.1).
pub const DESCRIPTION_FORBIDDEN: &str = "[!<>'=&\"]";

/// Longest name of a Kubernetes object, in characters.
pub const OBJECT_NAME_MAX: usize = 253;
/// Longest description of a snapshot, in characters (reference 5.2.1).
pub const DESCRIPTION_MAX: usize = 256;

/// Whether the text can name a cluster or a snapshot at the service: [`SERVICE_NAME`].
pub fn is_service_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (4..=64).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether the text is an id as the service writes it: [`UUID`].
pub fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
        })
}

/// Whether the text can name the database administrator: [`ADMIN_USER`]. The service refuses
/// keywords of the database besides.
pub fn is_admin_user(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && !bytes[0].is_ascii_digit()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
}

/// Whether the text can name a Kubernetes object: [`OBJECT_NAME`], at most [`OBJECT_NAME_MAX`].
pub fn is_object_name(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= OBJECT_NAME_MAX
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().is_some_and(plain)
                && bytes.last().is_some_and(plain)
                && bytes.iter().all(|b| plain(b) || *b == b'-')
        })
}

/// Whether the text can be a key in a Secret: [`SECRET_KEY`].
pub fn is_secret_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// Whether the text can describe a snapshot: at most [`DESCRIPTION_MAX`] characters, nothing of
/// [`DESCRIPTION_FORBIDDEN`].
pub fn is_snapshot_description(text: &str) -> bool {
    text.chars().count() <= DESCRIPTION_MAX
        && !text
            .chars()
            .any(|c| matches!(c, '!' | '<' | '>' | '\'' | '=' | '&' | '"'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;
    use regex::Regex;

    use super::*;

    type Judge = fn(&str) -> bool;

    /// Function, expression and `maxLength` of each kind of text.
    fn judges() -> Vec<(Judge, &'static str, usize)> {
        vec![
            (is_service_name, SERVICE_NAME, 64),
            (is_uuid, UUID, 64),
            (is_admin_user, ADMIN_USER, 63),
            (is_object_name, OBJECT_NAME, OBJECT_NAME_MAX),
            (is_secret_key, SECRET_KEY, 253),
        ]
    }

    fn near(expression: &str) -> impl Strategy<Value = String> + use<> {
        let inner = expression.trim_start_matches('^').trim_end_matches('$');
        // Repetition without an upper end would hardly ever reach the length limits.
        string_regex(&inner.replace("]*", "]{0,90}")).unwrap()
    }

    /// A text near the border: one that fits, perhaps with one character put in, taken or replaced.
    fn candidates() -> impl Strategy<Value = (usize, String)> {
        (0..judges().len()).prop_flat_map(|which| {
            let edit = prop_oneof![
                Just(String::new()),
                "[-._ A-Za-z0-9!\n\u{e4}]",
                "[a-z]{1,70}"
            ];
            (
                near(judges()[which].1),
                any::<prop::sample::Index>(),
                edit,
                any::<bool>(),
            )
                .prop_map(move |(text, at, edit, take)| {
                    let mut chars: Vec<char> = text.chars().collect();
                    let at = at.index(chars.len() + 1);
                    if take && at < chars.len() {
                        chars.remove(at);
                    }
                    chars.splice(at..at, edit.chars());
                    (which, chars.into_iter().collect())
                })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn functions_judge_as_the_expressions_do((which, text) in candidates()) {
            let (judge, expression, max) = judges()[which];
            let expected = text.chars().count() <= max && Regex::new(expression).unwrap().is_match(&text);
            prop_assert_eq!(judge(&text), expected, "{} for {:?}", expression, text);
        }

        #[test]
        fn descriptions_are_judged_as_the_expression_does(text in "[ -~\u{e4}]{0,300}|[a-z!<>'=&\"]{0,20}") {
            let expected = text.chars().count() <= DESCRIPTION_MAX
                && !Regex::new(DESCRIPTION_FORBIDDEN).unwrap().is_match(&text);
            prop_assert_eq!(is_snapshot_description(&text), expected);
        }
    }

    #[test]
    fn the_borders_of_a_service_name() {
        assert!(is_service_name("a123") && is_service_name(&format!("Z{}", "_".repeat(63))));
        assert!(!is_service_name("a12") && !is_service_name(&format!("Z{}", "_".repeat(64))));
        assert!(!is_service_name("1abc") && !is_service_name("_abc") && !is_service_name("ab.c"));
    }
}
