//! Rules of the schema that a field by itself cannot express, as data.
//!
//! A rule is a CEL expression with the place where it stands, the field that it speaks of and what
//! to write instead. [`super::crd`] puts them into the schema; the reference pages list them. Every
//! rule must stay true for an object that is stored: the API server evaluates the rules of the root
//! on status writes and on the removal of the finalizer as well, and a rule that has become false
//! would block both.
//!
//! "Fixed" fields are compared on the root, not on the field: a field's own rule does not run while
//! the field is absent, so it could be taken out and put back changed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::ValidationRule;

pub mod cluster;
pub mod snapshot;

use super::validate;

/// When a field of the spec may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// At any time.
    Free,
    /// Until the operator has asked the service for the object, or knows its id.
    Fixed,
    /// As `Fixed`, but it may still be set where it was not.
    SetOnce,
    /// Up at any time; down only as far as the observed number.
    Grows,
}

impl Change {
    /// How the reference pages word it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Free => "yes",
            Self::Fixed => "fixed",
            Self::SetOnce => "unset to set, once",
            Self::Grows => "up; down to `status.nodeCount`",
        }
    }
}

/// What the API server answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The value is wrong: the answer repeats it.
    Invalid,
    /// The field must not be there, or not be changed.
    Forbidden,
    /// The field must be there.
    Required,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Forbidden => "FieldValueForbidden",
            Self::Required => "FieldValueRequired",
        }
    }
}

/// One rule of a schema.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands: a dotted path from the root of the resource, empty for the root itself.
    pub at: &'static str,
    /// The field that it speaks of: `at`, or a field below it.
    pub field: String,
    /// The CEL expression; true is accepted.
    pub expression: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// A CEL expression for the same with the values at hand; `message` holds where it fails.
    pub message_expression: Option<String>,
    /// Kind of the refusal.
    pub reason: Reason,
}

impl Rule {
    fn new(
        at: &'static str,
        field: &str,
        reason: Reason,
        expression: String,
        message: &str,
    ) -> Self {
        Self {
            at,
            field: field.to_owned(),
            expression,
            message: message.to_owned(),
            message_expression: None,
            reason,
        }
    }

    fn saying(mut self, expression: String) -> Self {
        self.message_expression = Some(expression);
        self
    }

    /// The rule as it stands in the CRD.
    pub fn to_validation(&self) -> ValidationRule {
        let below = self.field.strip_prefix(self.at).unwrap_or(&self.field);
        let field_path = match below {
            "" => None,
            path if path.starts_with('.') => Some(path.to_owned()),
            path => Some(format!(".{path}")),
        };
        ValidationRule {
            rule: self.expression.clone(),
            message: Some(self.message.clone()),
            message_expression: self.message_expression.clone(),
            reason: Some(self.reason.as_str().to_owned()),
            field_path,
            optional_old_self: None,
        }
    }
}

/// A text as a CEL string literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A rule on one field: its value matches the expression.
fn matches(field: &'static str, pattern: &str, message: &str) -> Rule {
    let expression = format!("self.matches({})", quoted(pattern));
    Rule::new(field, field, Reason::Invalid, expression, message)
}

/// The rule for an id of the service. `what` is the thing that has it, with its article.
fn uuid(field: &'static str, what: &str) -> Rule {
    let message = format!(
        "write the id of {what}, a UUID in lower case such as 85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"
    );
    matches(field, validate::UUID, &message)
}

/// The rule for the name of a Kubernetes object. `what` is the object, with its article.
fn object_name(field: &'static str, what: &str) -> Rule {
    let message = format!(
        "write the name of {what}: lower-case letters, digits, '-' and '.', with a letter or digit \
         first and last in each part"
    );
    matches(field, validate::OBJECT_NAME, &message)
}

/// A field below `spec` that must not change once `begun` (a CEL expression over `oldSelf`) is
/// true, setting and unsetting included. `once` words that moment, `another` the way out.
///
/// Optional selection (`self.?spec.?x`) would be shorter, but the API server's cost estimate takes
/// an optional value for one without bounds and refuses the schema.
fn fixed(begun: &str, field: &str, once: &str, another: &str) -> Rule {
    let (now, before) = (present("self", field), present("oldSelf", field));
    let short = field.strip_prefix("spec.").unwrap_or(field);
    Rule::new(
        "",
        field,
        Reason::Forbidden,
        format!(
            "!({begun}) || ({now} ? {before} && self.{field} == oldSelf.{field} : !({before}))"
        ),
        &format!(
            "{short} is fixed {once}: write back the former value (none, if there was none), or {another}"
        ),
    )
    .saying(format!(
        "{before} ? '{short} is fixed {once}: write back %s, or {another}'.format([oldSelf.{field}]) \
         : '{short} is fixed {once}: leave it out again, or {another}'"
    ))
}

/// A CEL expression that is true where a field and all that holds it are there.
fn present(object: &str, field: &str) -> String {
    let mut path = object.to_owned();
    let mut levels = Vec::new();
    for name in field.split('.') {
        path = format!("{path}.{name}");
        // `spec` is required: a resource without it is refused before any rule runs.
        if name != "spec" {
            levels.push(format!("has({path})"));
        }
    }
    levels.join(" && ")
}

/// The spec's own name, or the resource's: one of them must be a name that the service takes.
fn service_name(field: &'static str, what: &str) -> [Rule; 2] {
    let message = format!(
        "write a name for {what} that starts with a letter and has 4 to 64 letters, digits, '-' or '_'"
    );
    let short = field.strip_prefix("spec.").unwrap_or(field);
    let from_metadata = Rule::new(
        "",
        field,
        Reason::Required,
        format!(
            "has(self.{field}) || self.metadata.name.matches({})",
            quoted(validate::SERVICE_NAME)
        ),
        &format!(
            "metadata.name cannot serve as the name of {what}: write {field}, a letter and then \
             letters, digits, '-' or '_', 4 to 64 characters in all"
        ),
    )
    .saying(format!(
        "'metadata.name %s cannot serve as the name of {what}: write {short}, a letter and then letters, digits, - or _, 4 to 64 characters in all'.format([self.metadata.name])"
    ));
    [
        matches(field, validate::SERVICE_NAME, &message),
        from_metadata,
    ]
}
