//! The connection Secret's content, made from what the service shows and the passwords that it holds.
//!
//! Keys follow the Service Binding specification; `pending-password` and `previous-password` keep a
//! password change safe: at every moment one of the three logs in.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::dws::model::{Cluster, Endpoint};

/// Key of the password in force.
pub const PASSWORD: &str = "password";
/// Key of a password that was sent, or is about to be.
pub const PENDING: &str = "pending-password";
/// Key of the password before the present one.
pub const PREVIOUS: &str = "previous-password";
/// The database that every cluster has.
const DATABASE: &str = "gaussdb";
/// What stays unescaped in a URI's user info.
const USER_INFO: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The passwords that a connection Secret holds.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    /// In force.
    pub current: Option<SecretString>,
    /// Sent, or about to be.
    pub pending: Option<SecretString>,
    /// In force before.
    pub previous: Option<SecretString>,
}

impl Passwords {
    /// Reads them from a Secret's data.
    pub fn of(data: &BTreeMap<String, SecretString>) -> Self {
        Self {
            current: data.get(PASSWORD).cloned(),
            pending: data.get(PENDING).cloned(),
            previous: data.get(PREVIOUS).cloned(),
        }
    }

    /// Those of a resource that has no cluster yet and sends this one. A password that is there came with a backup,
    /// and may be all that opens a cluster which nobody knows any more: it stays beside the new one.
    #[must_use]
    pub fn begun(self, pending: SecretString) -> Self {
        Self {
            current: None,
            pending: Some(pending),
            previous: self.current.or(self.previous),
        }
    }

    /// The pending one is in force now.
    #[must_use]
    pub fn promoted(self) -> Self {
        match self.pending {
            Some(pending) => Self {
                current: Some(pending),
                pending: None,
                previous: self.current.or(self.previous),
            },
            None => self,
        }
    }
}

/// All keys of the Secret. `cluster` is `None` before the service shows one.
pub fn render(
    cluster: Option<&Cluster>,
    user: &str,
    passwords: &Passwords,
) -> BTreeMap<String, SecretString> {
    let mut data = BTreeMap::new();
    let mut put = |key: &str, value: String| data.insert(key.to_owned(), SecretString::from(value));
    put("type", "postgresql".to_owned());
    put("provider", "huaweicloud-dws".to_owned());
    put("database", DATABASE.to_owned());
    let user = cluster
        .and_then(|cluster| cluster.user_name.as_deref())
        .unwrap_or(user);
    put("username", user.to_owned());
    if let Some((host, port)) =
        cluster.and_then(|cluster| address(cluster.endpoints.first()?, cluster.port))
    {
        put(
            "jdbc-url",
            format!("jdbc:postgresql://{host}:{port}/{DATABASE}"),
        );
        if let Some(password) = &passwords.current {
            let (name, word) = (escape(user), escape(password.expose_secret()));
            put(
                "uri",
                format!("postgresql://{name}:{word}@{host}:{port}/{DATABASE}"),
            );
            let word = password
                .expose_secret()
                .replace('\\', "\\\\")
                .replace(':', "\\:");
            put("pgpass", format!("{host}:{port}:{DATABASE}:{user}:{word}"));
        }
        put("host", host);
        put("port", port);
    }
    if let Some((host, port)) =
        cluster.and_then(|cluster| address(cluster.public_endpoints.first()?, cluster.port))
    {
        put("public-host", host);
        put("public-port", port);
    }
    for (key, value) in [
        (PASSWORD, &passwords.current),
        (PENDING, &passwords.pending),
        (PREVIOUS, &passwords.previous),
    ] {
        if let Some(value) = value {
            data.insert(key.to_owned(), value.clone());
        }
    }
    data
}

/// Whether two Secrets hold the same.
pub fn same(one: &BTreeMap<String, SecretString>, other: &BTreeMap<String, SecretString>) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((k, v), (l, w))| k == l && v.expose_secret() == w.expose_secret())
}

/// Host and port of an endpoint. The service may give a bare host and the port only in the JDBC URL.
fn address(endpoint: &Endpoint, port: Option<i32>) -> Option<(String, String)> {
    let connect = endpoint
        .connect_info
        .as_deref()
        .filter(|text| !text.is_empty());
    let from_jdbc = endpoint.jdbc_url.as_deref().and_then(|url| {
        let rest = url.split_once("//")?.1;
        split(rest.split('/').next()?)
    });
    let (host, found) = match connect.and_then(split) {
        Some((host, Some(port))) => (host, Some(port)),
        Some((host, None)) => (host, from_jdbc.and_then(|(_, port)| port)),
        None => from_jdbc?,
    };
    let port = found.or_else(|| port.map(|port| port.to_string()))?;
    Some((host, port))
}

fn split(text: &str) -> Option<(String, Option<String>)> {
    match text.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty() && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Some((host.to_owned(), Some(port.to_owned())))
        }
        _ => (!text.is_empty()).then(|| (text.trim_end_matches(':').to_owned(), None)),
    }
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, USER_INFO).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data: &BTreeMap<String, SecretString>, key: &str) -> Option<String> {
        data.get(key).map(|value| value.expose_secret().to_owned())
    }

    fn cluster(connect: Option<&str>, jdbc: Option<&str>) -> Cluster {
        Cluster {
            port: Some(8000),
            endpoints: vec![Endpoint {
                connect_info: connect.map(Into::into),
                jdbc_url: jdbc.map(Into::into),
            }],
            ..Cluster::default()
        }
    }

    #[test]
    fn an_endpoint_is_read_in_every_shape() {
        let jdbc = "jdbc:postgresql://x.dws.example.com:8010/<YOUR_DATABASE_name>";
        for (cluster, host, port) in [
            (
                cluster(Some("192.168.0.10:8001"), None),
                "192.168.0.10",
                "8001",
            ),
            (
                cluster(Some("x.dws.example.com"), Some(jdbc)),
                "x.dws.example.com",
                "8010",
            ),
            (
                cluster(Some("x.dws.example.com"), None),
                "x.dws.example.com",
                "8000",
            ),
            (cluster(None, Some(jdbc)), "x.dws.example.com", "8010"),
        ] {
            let data = render(Some(&cluster), "dbadmin", &Passwords::default());
            assert_eq!(text(&data, "host").as_deref(), Some(host));
            assert_eq!(text(&data, "port").as_deref(), Some(port));
        }
    }

    #[test]
    fn a_password_is_escaped_for_each_reader() {
        let passwords = Passwords {
            current: Some(SecretString::from("a:b\\c@/é")),
            ..Passwords::default()
        };
        let data = render(Some(&cluster(Some("h:1"), None)), "dbadmin", &passwords);
        assert_eq!(
            text(&data, "uri").unwrap(),
            "postgresql://dbadmin:a%3Ab%5Cc%40%2F%C3%A9@h:1/gaussdb"
        );
        assert_eq!(
            text(&data, "pgpass").unwrap(),
            "h:1:gaussdb:dbadmin:a\\:b\\\\c@/é"
        );
    }

    #[test]
    fn a_promotion_keeps_the_former_one() {
        let before = Passwords {
            current: Some("one".into()),
            pending: Some("two".into()),
            previous: None,
        };
        let after = before.promoted();
        assert_eq!(after.current.unwrap().expose_secret(), "two");
        assert_eq!(after.previous.unwrap().expose_secret(), "one");
        assert!(after.pending.is_none());
    }
}
