//! The rules that names, users and passwords must keep (reference 5.1.1, 5.1.8, 5.2.1).
//!
//! It knows texts only: whether a name is taken or a password was used before is for the world to say.

use super::refusal::{Refusal, refuse};

/// Letter first, then letters, digits, `-`, `_`; 4-64 characters. Clusters and snapshots alike.
pub(super) fn is_name(name: &str) -> bool {
    (4..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// 32 hexadecimal digits in the shape 8-4-4-4-12.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// The administrator's name: 5059 for its shape, 5082 for a word that the database keeps to itself.
pub(super) fn check_user(user: &str) -> Result<(), Refusal> {
    let shape = (1..=63).contains(&user.len())
        && user.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && user
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !shape {
        return refuse("DWS.5059");
    }
    if RESERVED.binary_search(&user).is_ok() {
        return refuse("DWS.5082");
    }
    Ok(())
}

const SPECIAL: &str = "~!?,.:;-_'\"(){}[]/<>@#%^&*+|\\=";

/// The administrator's password without its history: 5144 for its shape, 5145 for the user's name in either
/// direction, 5199 for one that everybody knows.
pub(super) fn check_password(password: &str, user: &str) -> Result<(), Refusal> {
    let classes = [
        password.chars().any(|c| c.is_ascii_lowercase()),
        password.chars().any(|c| c.is_ascii_uppercase()),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| SPECIAL.contains(c)),
    ];
    let known = password
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || SPECIAL.contains(c));
    if password == user || password.chars().rev().eq(user.chars()) {
        return refuse("DWS.5145");
    }
    if !(8..=32).contains(&password.len())
        || !known
        || classes.into_iter().filter(|class| *class).count() < 3
    {
        return refuse("DWS.5144");
    }
    if WEAK.contains(&password.to_ascii_lowercase().as_str()) {
        return refuse("DWS.5199");
    }
    Ok(())
}

/// At most 256 characters, none of `! < > ' = & "`.
pub(super) fn check_description(description: &str) -> Result<(), Refusal> {
    if description.chars().count() > 256 {
        return refuse("DWS.5056");
    }
    if description.contains(['!', '<', '>', '\'', '=', '&', '"']) {
        return refuse("DWS.5065");
    }
    Ok(())
}

/// Passwords from the top of every list, in lower case.
const WEAK: &[&str] = &[
    "abcd@1234",
    "admin@123",
    "admin123!",
    "changeme_123",
    "gauss@123",
    "gaussdb@123",
    "huawei@123",
    "huawei12#$",
    "p@ssw0rd",
    "passw0rd",
    "password@123",
    "password1!",
    "password123",
    "qwerty@123",
    "root@123",
    "test@123",
    "welcome@123",
];

/// Reserved key words of the database, and the roles that it brings along. Sorted.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authid",
    "authorization",
    "between",
    "binary",
    "both",
    "buckets",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "compact",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "excluded",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "function",
    "gaussdb",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "loged",
    "maxvalue",
    "minus",
    "modify",
    "natural",
    "nlssort",
    "none",
    "not",
    "notnull",
    "null",
    "offset",
    "omm",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "over",
    "overlaps",
    "performance",
    "placing",
    "primary",
    "procedure",
    "public",
    "rdsadmin",
    "references",
    "reject",
    "returning",
    "right",
    "rownum",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "sysdate",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }

    #[rstest]
    #[case("dws1", true)]
    #[case("a-b_C9", true)]
    #[case("dws", false)]
    #[case("1dws", false)]
    #[case("-dws", false)]
    #[case("dws.1", false)]
    #[case("dwsé1", false)]
    fn names(#[case] name: &str, #[case] good: bool) {
        assert_eq!(is_name(name), good);
        assert_eq!(
            is_name(&format!("{name}{}", "x".repeat(64 - name.len()))),
            good || name == "dws"
        );
        assert!(!is_name(&format!("{name}{}", "x".repeat(65 - name.len()))));
    }

    #[rstest]
    #[case("dbadmin", None)]
    #[case("_a1", None)]
    #[case("Dbadmin", Some("DWS.5059"))]
    #[case("1a", Some("DWS.5059"))]
    #[case("a-b", Some("DWS.5059"))]
    #[case("", Some("DWS.5059"))]
    #[case("select", Some("DWS.5082"))]
    #[case("omm", Some("DWS.5082"))]
    fn users(#[case] user: &str, #[case] code: Option<&str>) {
        assert_eq!(
            check_user(user)
                .err()
                .map(|refusal| refusal.code)
                .as_deref(),
            code
        );
    }

    #[rstest]
    // The reference's own samples.
    #[case("Password!", None)]
    #[case("NewPassword!", None)]
    #[case("Dws2017demo!", None)]
    #[case("Abcdef1", Some("DWS.5144"))]
    #[case("Abcdefgh", Some("DWS.5144"))]
    #[case("abcdefg1", Some("DWS.5144"))]
    #[case("Abcdefg1 ", Some("DWS.5144"))]
    #[case("Abcdefg1$", Some("DWS.5144"))]
    #[case("Abcdefg1é", Some("DWS.5144"))]
    #[case("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!", None)]
    #[case("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!x", Some("DWS.5144"))]
    #[case("dbadmin_1", Some("DWS.5145"))]
    #[case("1_nimdabd", Some("DWS.5145"))]
    #[case("Passw0rd", Some("DWS.5199"))]
    fn passwords(#[case] password: &str, #[case] code: Option<&str>) {
        let refused = check_password(password, "dbadmin_1").err();
        assert_eq!(refused.map(|refusal| refusal.code).as_deref(), code);
    }

    #[rstest]
    #[case("", None)]
    #[case("nightly, before the upgrade (第1)", None)]
    #[case("a=b", Some("DWS.5065"))]
    fn descriptions(#[case] description: &str, #[case] code: Option<&str>) {
        assert_eq!(
            check_description(description)
                .err()
                .map(|refusal| refusal.code)
                .as_deref(),
            code
        );
        assert!(check_description(&"é".repeat(256)).is_ok());
        assert!(check_description(&"é".repeat(257)).is_err());
    }
}
