//! The rules of names once more, as functions and from the reference alone: what the expressions of the schema
//! are held against.

/// Whether the text can name a cluster or a snapshot at the service: as the reference says.
pub fn is_service_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (4..=64).contains(&bytes.len())
        && bytes[0].is_ascii_alphabetic()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether the text is an id as the service writes it.
pub fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
        })
}

/// Whether the text can name the database administrator. The service refuses
/// keywords of the database besides.
pub fn is_admin_user(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && !bytes[0].is_ascii_digit()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
}

/// Whether the text can name a Kubernetes object (RFC 1123 subdomain).
pub fn is_object_name(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().is_some_and(plain)
                && bytes.last().is_some_and(plain)
                && bytes.iter().all(|b| plain(b) || *b == b'-')
        })
}

/// Whether the text can be a key in a Secret.
pub fn is_secret_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// Whether the text can describe a snapshot: at most 256 characters, none of seven.
pub fn is_snapshot_description(text: &str) -> bool {
    text.chars().count() <= 256
        && !text
            .chars()
            .any(|c| matches!(c, '!' | '<' | '>' | '\'' | '=' | '&' | '"'))
}
