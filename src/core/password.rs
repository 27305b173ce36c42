//! The service's password rules that both its reference and today's service hold (reference 5.1.8).
//!
//! A candidate that breaks one is refused without a call. What only the service can know (history, weak
//! words) is left to it.

use secrecy::{ExposeSecret, SecretString};

/// Shortest password.
const SHORTEST: usize = 8;
/// Longest password.
const LONGEST: usize = 32;
/// Special characters that the service accepts.
const SPECIAL: &str = "~!?,.:;-_'(){}[]/<>@#%^&*+|\\=\"$`";

/// What is wrong with a candidate, in words that do not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Too short or too long.
    #[error("it must have 8 to 32 characters")]
    Length,
    /// Fewer than three classes.
    #[error(
        "it must have three of these: lower-case letters, upper-case letters, digits, special characters"
    )]
    Classes,
    /// The user's name, or its reverse.
    #[error("it must not be the user's name or its reverse")]
    User,
    /// The one before the present one.
    #[error("it is the previous password, which the service refuses")]
    Previous,
}

/// Judges a candidate for this user.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(
    candidate: &SecretString,
    user: &str,
    previous: Option<&SecretString>,
) -> Result<(), Weakness> {
    let text = candidate.expose_secret();
    let length = text.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(Weakness::Length);
    }
    let classes = [
        text.chars().any(|c| c.is_ascii_lowercase()),
        text.chars().any(|c| c.is_ascii_uppercase()),
        text.chars().any(|c| c.is_ascii_digit()),
        text.chars().any(|c| SPECIAL.contains(c)),
    ];
    if classes.iter().filter(|there| **there).count() < 3 {
        return Err(Weakness::Classes);
    }
    let reverse: String = user.chars().rev().collect();
    if text == user || text == reverse {
        return Err(Weakness::User);
    }
    if previous.is_some_and(|previous| same(previous, candidate)) {
        return Err(Weakness::Previous);
    }
    Ok(())
}

/// Whether two passwords are equal.
pub fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Passw0rd", Ok(()))]
    #[case("Pass-word", Ok(()))]
    #[case("passw0r", Err(Weakness::Length))]
    #[case("Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!Aa1!x", Err(Weakness::Length))]
    #[case("password1", Err(Weakness::Classes))]
    #[case("Admin_db1", Err(Weakness::User))]
    #[case("1bd_nimdA", Err(Weakness::User))]
    #[case("Previous1!", Err(Weakness::Previous))]
    fn rules(#[case] candidate: &str, #[case] expected: Result<(), Weakness>) {
        let previous = SecretString::from("Previous1!");
        assert_eq!(
            judge(&SecretString::from(candidate), "Admin_db1", Some(&previous)),
            expected
        );
    }
}
