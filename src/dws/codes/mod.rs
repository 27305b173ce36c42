//! Every error code that the service is known to give, in one table: what it means and what to do.
//!
//! Pure data and a look-up. It knows neither the request that was made nor how an answer is read: a
//! code whose meaning depends on the request is here with the meaning it mostly has, and
//! [`crate::dws::outcome`] corrects it.

mod beyond;
mod create;
mod gateway;
mod load;
mod shape;

use super::answer::Meaning;

/// Where a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Table 6-2 of the API reference.
    Reference,
    /// Seen from the service, beyond that table.
    Beyond,
    /// The gateway before the service.
    Gateway,
    /// `failed_reasons` of a cluster: a task that was accepted and failed, never an answer.
    FailedTask,
}

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// As the service writes it: `DWS.5050`, `APIGW.0308`; `6000` in `failed_reasons`.
    pub code: &'static str,
    /// The HTTP statuses it is known to come with; empty for reasons of failed tasks.
    pub http: &'static [u16],
    /// Where it comes from.
    pub origin: Origin,
    /// What it means, and by [`Meaning::class`] how to go on after it.
    pub meaning: Meaning,
    /// The spec field to mend, as a path.
    pub field: Option<&'static str>,
    /// What to do, one sentence.
    pub advice: &'static str,
}

/// Rows of the table: code, HTTP statuses, meaning, field where one is to be mended, advice.
macro_rules! codes {
    ($origin:ident: $($code:literal [$($http:literal)*] $meaning:ident $(in $field:literal)? $advice:literal;)*) => {
        &[$($crate::dws::codes::Code {
            code: $code,
            http: &[$($http),*],
            origin: $crate::dws::codes::Origin::$origin,
            meaning: $crate::dws::answer::Meaning::$meaning,
            field: $crate::dws::codes::codes!(@field $($field)?),
            advice: $advice,
        }),*]
    };
    (@field) => { None };
    (@field $field:literal) => { Some($field) };
}
use codes;

const TABLES: [&[Code]; 6] = [
    create::CODES,
    shape::CODES,
    load::CODES,
    beyond::CODES,
    beyond::FAILED_TASKS,
    gateway::CODES,
];

/// All codes.
pub fn all() -> impl Iterator<Item = &'static Code> {
    TABLES.into_iter().flatten()
}

/// The code's row. Case and a `DWS.` before a failed task's number do not matter.
pub fn lookup(code: &str) -> Option<&'static Code> {
    let code = code.trim();
    let bare = match code.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("DWS.") => &code[4..],
        _ => code,
    };
    all().find(|row| {
        row.code.eq_ignore_ascii_case(code)
            || (row.origin == Origin::FailedTask && row.code == bare)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    /// Table 6-2 of the reference, typed off by hand: what it lists for each HTTP status.
    const REFERENCE: [(u16, &str); 4] = [
        (
            400,
            "5001 5002 5003 5004 5005 5006 5010 5011 5012 5013 5014 5015 5016 5017 5018 5027 5033 \
             5034 5037 5038 5039 5045 5046 5047 5048 5051 5052 5053 5054 5056 5057 5059 5060 5061 \
             5062 5063 5064 5065 5070 5071 5078 5079 5080 5081 5082 5083 5084 5086 5087 5089 5091 \
             5093 5095 5096 5097 5098 5104 5106 5107 5111 5130 5133 5135 5144 5145 5146 5147 5148 \
             5149 5165 5166 5167 5168 5169 5170 5171 5172 5173 5174 5175 5176 5177 5178 5179 5180 \
             5181 5182 5183 5184 5185 5186 5187 5189 5191 5194 5197 5198 5199 5200 5202 5203 5206",
        ),
        (403, "5036"),
        (404, "5021 5022 5023"),
        (409, "5050"),
    ];

    #[test]
    fn table_6_2_is_whole() {
        let mut listed = 0;
        for (http, codes) in REFERENCE {
            for number in codes.split_whitespace() {
                listed += 1;
                let row = lookup(&format!("DWS.{number}")).unwrap_or_else(|| panic!("{number}"));
                assert_eq!(row.http, [http], "{number}");
                assert_eq!(row.origin, Origin::Reference, "{number}");
            }
        }
        let rows = all().filter(|row| row.origin == Origin::Reference).count();
        assert_eq!((listed, rows), (107, 107));
    }

    /// The reference gives one 400 to be tried again later; all others are the caller's to correct.
    #[test]
    fn what_the_caller_has_to_correct_is_not_waited_for() {
        let waited: Vec<&str> = all()
            .filter(|row| row.origin == Origin::Reference && row.meaning == Meaning::Unavailable)
            .map(|row| row.code)
            .collect();
        assert_eq!(waited, ["DWS.5189"]);
    }

    #[test]
    fn each_row_says_what_to_do() {
        let mut codes = HashSet::new();
        let mut advices: HashSet<&str> = HashSet::new();
        for row in all() {
            assert!(codes.insert(row.code), "{} twice", row.code);
            assert!(row.advice.len() >= 30, "{}: too short", row.code);
            assert!(row.advice.len() <= 220, "{}: too long", row.code);
            assert!(row.advice.ends_with('.'), "{}: no sentence", row.code);
            assert!(row.advice.is_ascii(), "{}: not English", row.code);
            assert!(!row.advice.contains(". "), "{}: not one sentence", row.code);
            assert!(
                row.advice.starts_with(|c: char| c.is_ascii_uppercase()),
                "{}",
                row.code
            );
            advices.insert(row.advice);
            assert_eq!(
                row.http.is_empty(),
                row.origin == Origin::FailedTask,
                "{}: only failed tasks have no status",
                row.code
            );
        }
        assert!(
            advices.len() * 10 >= codes.len() * 9,
            "advice is written row by row"
        );
        crate::dws::figures::figure("dws-client", &format!("{} codes", codes.len()));
        assert_eq!(codes.len(), 141);
    }

    #[test]
    fn fields_are_those_of_the_two_kinds() {
        const FIELDS: [&str; 14] = [
            "spec.adminPasswordSecretRef",
            "spec.adminUser",
            "spec.clusterName",
            "spec.coordinatorCount",
            "spec.description",
            "spec.enterpriseProjectId",
            "spec.network.availabilityZone",
            "spec.network.securityGroupId",
            "spec.network.subnetId",
            "spec.network.vpcId",
            "spec.nodeCount",
            "spec.nodeType",
            "spec.publicIp.bindType",
            "spec.publicIp.eipId",
        ];
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for row in all() {
            if let Some(field) = row.field {
                assert!(
                    FIELDS.contains(&field) || field == "spec.restoreFrom",
                    "{}: {field}",
                    row.code
                );
                *seen.entry(field).or_default() += 1;
            }
        }
        assert!(seen.len() >= 12, "{seen:?}");
    }

    #[test]
    fn a_code_is_found_as_the_service_may_write_it() {
        assert_eq!(
            lookup("dws.5050").map(|row| row.meaning),
            Some(Meaning::NameTaken)
        );
        assert_eq!(
            lookup(" DWS.5200 ").map(|row| row.meaning),
            Some(Meaning::SoldOut)
        );
        assert_eq!(
            lookup("6001").map(|row| row.origin),
            Some(Origin::FailedTask)
        );
        assert_eq!(lookup("DWS.6001").map(|row| row.code), Some("6001"));
        for unknown in ["", "DWS.", "5050", "DWS.4242", "DWS.0000", "é.50", "6009"] {
            assert_eq!(lookup(unknown), None, "{unknown}");
        }
    }
}
