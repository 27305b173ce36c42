//! Who a client is: an access key that signs every request, or a password that buys tokens.

pub mod sign;
pub mod token;

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// The credential of one account. It is held in memory that is overwritten when dropped and is never
/// shown, the names included.
#[derive(Clone)]
pub enum Credential {
    /// AK/SK: requests are signed (`SDK-HMAC-SHA256`), no token is needed.
    AccessKey {
        /// The public half.
        access_key: String,
        /// The secret half; it never travels.
        secret_key: SecretString,
        /// With a temporary key, the token that belongs to it.
        security_token: Option<SecretString>,
    },
    /// An IAM user: requests bear a token (reference 3.2).
    Password {
        /// The account that the user belongs to.
        domain_name: String,
        /// The IAM user.
        user_name: String,
        /// Its password.
        password: SecretString,
    },
}

/// A password as it was written, white space and all; only the one line end goes that files and editors
/// add. `None` where nothing is left.
pub fn written_password(text: &str) -> Option<&str> {
    let text = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Some(text).filter(|text| !text.is_empty())
}

impl Credential {
    /// What must not be shown of it.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::AccessKey {
                access_key: _,
                secret_key,
                security_token,
            } => {
                let mut secrets = vec![secret_key.expose_secret()];
                secrets.extend(security_token.iter().map(SecretString::expose_secret));
                secrets
            }
            Self::Password {
                domain_name: _,
                user_name: _,
                password,
            } => {
                vec![password.expose_secret()]
            }
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessKey {
                security_token: None,
                ..
            } => "Credential::AccessKey(..)",
            Self::AccessKey {
                security_token: Some(_),
                ..
            } => "Credential::AccessKey(.., temporary)",
            Self::Password { .. } => "Credential::Password(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_loses_one_line_end_and_nothing_else() {
        for (text, password) in [
            (" a b ", Some(" a b ")),
            ("pw\n", Some("pw")),
            ("pw \r\n", Some("pw ")),
            ("pw\n\n", Some("pw\n")),
            ("\n", None),
            ("", None),
        ] {
            assert_eq!(written_password(text), password, "{text:?}");
        }
    }
}
