//! The rows: operation, status, body, and what it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Is::{self, Maybe, Not, Taken};
use super::Meaning::{
    Absent, AbsentOrForbidden, BadPassword, Busy, Forbidden, Garbled, Invalid, NameTaken, Quota,
    SoldOut, Throttled, Unauthenticated, Unavailable, Unknown,
};
use super::Operation::{
    self, CreateCluster, CreateSnapshot, DeleteCluster, DeleteSnapshot, ResetPassword, ResizeCluster,
    RestartCluster, RestoreSnapshot,
};
use super::{CHANGING, ID, code};

#[allow(clippy::too_many_lines)] // A table.
pub(super) fn rows() -> Vec<(Operation, u16, String, Is)> {
    let made = |what: &str| format!(r#"{{"{what}":{{"id":"{ID}"}}}}"#);
    let iam = |code: u16, title: &str| {
        format!(r#"{{"error":{{"code":{code},"message":"no","title":"{title}"}}}}"#)
    };
    let legacy = |code: &str| format!(r#"{{"errCode":"{code}","externalMessage":"old"}}"#);
    let html = "<html><h1>502 Bad Gateway</h1></html>".to_owned();
    let mut rows: Vec<(Operation, u16, String, Is)> = Vec::new();

    // Success.
    for status in [200, 201, 202, 204] {
        rows.push((CreateCluster, status, made("cluster"), Taken(Some(ID))));
        for operation in [
            DeleteCluster,
            RestartCluster,
            ResizeCluster,
            ResetPassword,
            DeleteSnapshot,
        ] {
            rows.push((operation, status, String::new(), Taken(None)));
            rows.push((operation, status, "{}".into(), Taken(None)));
        }
    }
    rows.extend([
        (RestoreSnapshot, 200, made("cluster"), Taken(Some(ID))),
        (CreateSnapshot, 200, made("snapshot"), Taken(Some(ID))),
        (RestoreSnapshot, 200, format!(r#"{{"job_id":"j","cluster":{{"id":"{ID}"}}}}"#), Taken(Some(ID))),
        (CreateCluster, 200, STANDARD.encode(made("cluster")), Taken(Some(ID))),
        (ResizeCluster, 200, code("DWS.0000"), Taken(None)),
        (ResizeCluster, 200, code("dws.0000"), Taken(None)),
        (ResizeCluster, 200, r#"{"job_id":"j","error_code":"DWS.9999"}"#.into(), Taken(None)),
        (ResizeCluster, 200, r#"{"error_code":null,"error_msg":null}"#.into(), Taken(None)),
        (ResizeCluster, 200, r#"{"error_code":""}"#.into(), Taken(None)),
        (ResizeCluster, 200, r#"{"code":"200","message":"OK"}"#.into(), Taken(None)),
        (RestartCluster, 200, r#"{"restart":{}}"#.into(), Taken(None)),
        (DeleteCluster, 202, " \r\n".into(), Taken(None)),
    ]);

    // Success that proves nothing.
    rows.extend([
        (CreateCluster, 200, String::new(), Maybe(Garbled)),
        (CreateCluster, 202, "{}".into(), Maybe(Garbled)),
        (CreateCluster, 200, r#"{"cluster":{}}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, r#"{"cluster":{"id":""}}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, r#"{"cluster":{"id":null}}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, r#"{"cluster":{"id":"../x"}}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, r#"{"cluster":null}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, made("snapshot"), Maybe(Garbled)),
        (CreateSnapshot, 200, made("cluster"), Maybe(Garbled)),
        (RestoreSnapshot, 200, r#"{"job_id":"j"}"#.into(), Maybe(Garbled)),
        (CreateCluster, 200, code("DWS.0000"), Maybe(Garbled)),
        (CreateCluster, 200, made("cluster").replace('}', ""), Maybe(Garbled)),
        (ResizeCluster, 200, html.clone(), Maybe(Garbled)),
        (ResizeCluster, 200, "[]".into(), Maybe(Garbled)),
        (ResizeCluster, 200, "null".into(), Maybe(Garbled)),
        (ResizeCluster, 200, "{".into(), Maybe(Garbled)),
        (DeleteCluster, 202, "OK".into(), Maybe(Garbled)),
        (ResizeCluster, 200, iam(401, "Unauthorized"), Maybe(Garbled)),
        (ResizeCluster, 203, "{}".into(), Maybe(Unknown)),
        (ResizeCluster, 206, "{}".into(), Maybe(Unknown)),
        (ResizeCluster, 206, String::new(), Maybe(Garbled)),
        // An id beside an error.
        (CreateCluster, 200, format!(r#"{{"error_code":"DWS.9999","cluster":{{"id":"{ID}"}}}}"#), Maybe(Unavailable)),
        (ResizeCluster, 200, code("APIGW.0201"), Maybe(Unavailable)),
        (ResizeCluster, 200, code("APIGW.0601"), Maybe(Unavailable)),
    ]);

    // A success that takes itself back.
    for operation in CHANGING {
        rows.push((operation, 200, code("DWS.9999"), Not(Unavailable)));
    }
    rows.extend([
        (CreateCluster, 200, code("DWS.5050"), Not(NameTaken)),
        (CreateCluster, 200, legacy("DWS.5200"), Not(SoldOut)),
        (CreateCluster, 202, code("DWS.5006"), Not(Invalid)),
        (ResizeCluster, 200, code("DWS.4242"), Not(Unknown)),
        (ResizeCluster, 200, r#"{"job_id":"","error_code":"DWS.5091"}"#.into(), Not(Quota)),
        (ResizeCluster, 200, r#"{"job_id":null,"error_code":"DWS.5091"}"#.into(), Not(Quota)),
    ]);

    // Refused for certain.
    rows.extend([
        (CreateCluster, 409, code("DWS.5050"), Not(NameTaken)),
        (CreateCluster, 409, legacy("DWS.5050"), Not(NameTaken)),
        (CreateCluster, 409, STANDARD.encode(code("DWS.5050")), Not(NameTaken)),
        (CreateCluster, 400, code("DWS.5200"), Not(SoldOut)),
        (CreateCluster, 400, code("DWS.5091"), Not(Quota)),
        (CreateCluster, 404, code("DWS.5021"), Not(Invalid)),
        (CreateCluster, 404, code("DWS.4040"), Not(Unknown)),
        (CreateCluster, 400, code("DWS.5144"), Not(BadPassword)),
        (ResetPassword, 400, code("DWS.5013"), Not(BadPassword)),
        (ResetPassword, 400, code("DWS.5144"), Not(BadPassword)),
        (ResetPassword, 400, code("DWS.5145"), Not(BadPassword)),
        (ResetPassword, 400, code("DWS.5199"), Not(BadPassword)),
        (ResizeCluster, 400, code("DWS.5047"), Not(Invalid)),
        (ResizeCluster, 400, code("DWS.0006"), Not(Invalid)),
        (ResizeCluster, 400, code("DWS.4242"), Not(Unknown)),
        (ResizeCluster, 400, code("DWS.200016"), Not(Unknown)),
        (ResizeCluster, 403, code("DWS.0020"), Not(Forbidden)),
        (ResizeCluster, 403, code("DWS.4242"), Not(Forbidden)),
        (DeleteCluster, 403, code("DWS.0015"), Not(AbsentOrForbidden)),
        (DeleteCluster, 401, code("DWS.0047"), Not(Absent)),
        (DeleteCluster, 404, code("DWS.0047"), Not(Absent)),
        (DeleteCluster, 404, code("DWS.3027"), Not(Absent)),
        (DeleteCluster, 404, code("DWS.4242"), Not(Absent)),
        (DeleteCluster, 410, code("DWS.4242"), Not(Absent)),
        (DeleteCluster, 400, code("DWS.0001"), Not(Invalid)),
        (DeleteSnapshot, 400, code("DWS.0001"), Not(Absent)),
        (DeleteSnapshot, 400, code("DWS.5149"), Not(Absent)),
        (RestoreSnapshot, 400, code("DWS.5149"), Not(Invalid)),
        (RestoreSnapshot, 400, code("DWS.0001"), Not(Invalid)),
        (CreateSnapshot, 400, code("DWS.0001"), Not(Invalid)),
        (RestartCluster, 401, code("DWS.4242"), Not(Unauthenticated)),
        (RestartCluster, 401, code("APIGW.0301"), Not(Unauthenticated)),
        (RestartCluster, 401, code("APIGW.0303"), Not(Unauthenticated)),
        (RestartCluster, 401, code("APIGW.0305"), Not(Unauthenticated)),
        (RestartCluster, 401, code("APIGW.0307"), Not(Unauthenticated)),
        (RestartCluster, 401, STANDARD.encode(code("APIGW.0301")), Not(Unauthenticated)),
        (RestartCluster, 403, code("APIGW.0302"), Not(Forbidden)),
        (RestartCluster, 403, code("APIGW.0304"), Not(Forbidden)),
        (RestartCluster, 403, code("APIGW.0306"), Not(Forbidden)),
        (RestartCluster, 403, code("APIGW.0802"), Not(Forbidden)),
        (RestartCluster, 429, code("APIGW.0308"), Not(Throttled)),
        (RestartCluster, 429, code("DWS.0429"), Not(Throttled)),
        (RestartCluster, 404, code("APIGW.0101"), Not(Unavailable)),
        (RestartCluster, 401, iam(401, "Unauthorized"), Not(Unauthenticated)),
        (RestartCluster, 403, iam(403, "Forbidden"), Not(Forbidden)),
        (RestartCluster, 401, code("IAM.0001"), Not(Unauthenticated)),
        (RestartCluster, 403, code("IAM.0002"), Not(Forbidden)),
        (RestartCluster, 400, code("IAM.0011"), Not(Unknown)),
    ]);

    // Busy is not executed, whatever it comes in.
    let in_message =
        |code: &str, message: &str| format!(r#"{{"error_code":"{code}","error_msg":"{message}"}}"#);
    for status in [200, 400, 403, 408, 409, 429, 500, 503] {
        rows.push((RestartCluster, status, code("DWS.7023"), Not(Busy)));
        rows.push((RestartCluster, status, code("DWS.0011"), Not(Busy)));
        rows.push((
            RestartCluster,
            status,
            in_message("DWS.9999", "DWS.7023"),
            Not(Busy),
        ));
    }
    rows.extend([
        (ResizeCluster, 500, in_message("DWS.9999", "DWS.7023: a task runs"), Not(Busy)),
        (ResizeCluster, 500, in_message("DWS.9999", "[dws.0011] busy"), Not(Busy)),
        (ResizeCluster, 500, r#"{"externalMessage":"DWS.7023"}"#.into(), Not(Busy)),
        (ResizeCluster, 500, STANDARD.encode(code("DWS.7023")), Not(Busy)),
        (ResizeCluster, 500, in_message("DWS.9999", "DWS.70231"), Maybe(Unavailable)),
        (ResizeCluster, 500, in_message("DWS.9999", "not DWS.7023"), Maybe(Unavailable)),
    ]);

    // Not known.
    for operation in CHANGING {
        rows.push((operation, 500, code("DWS.9999"), Maybe(Unavailable)));
        rows.push((operation, 502, html.clone(), Maybe(Unavailable)));
        rows.push((operation, 503, String::new(), Maybe(Unavailable)));
        rows.push((operation, 504, code("APIGW.0201"), Maybe(Unavailable)));
        rows.push((operation, 408, code("DWS.4242"), Maybe(Unavailable)));
    }
    for status in [301, 302, 303, 307, 308] {
        rows.push((CreateCluster, status, String::new(), Maybe(Unavailable)));
    }
    rows.extend([
        (ResizeCluster, 400, code("APIGW.0201"), Maybe(Unavailable)),
        (ResizeCluster, 500, code("APIGW.0601"), Maybe(Unavailable)),
        (ResizeCluster, 503, code("APIGW.0613"), Maybe(Unavailable)),
        (ResizeCluster, 404, code("APIGW.0602"), Maybe(Unavailable)),
        (ResizeCluster, 500, code("DWS.5050"), Maybe(NameTaken)),
        (ResizeCluster, 500, code("DWS.0005"), Maybe(Unavailable)),
        (ResizeCluster, 503, iam(503, "Unavailable"), Maybe(Unavailable)),
        (ResizeCluster, 404, html.clone(), Maybe(Garbled)),
        (ResizeCluster, 403, html.clone(), Maybe(Forbidden)),
        (ResizeCluster, 401, String::new(), Maybe(Unauthenticated)),
        (ResizeCluster, 429, String::new(), Maybe(Throttled)),
        (ResizeCluster, 429, html.clone(), Maybe(Throttled)),
        (ResizeCluster, 413, html, Maybe(Garbled)),
        (ResizeCluster, 400, "{}".into(), Maybe(Unknown)),
        (ResizeCluster, 400, r#"{"error_msg":"no code"}"#.into(), Maybe(Unknown)),
        (ResizeCluster, 400, code("DWS."), Maybe(Unknown)),
        (ResizeCluster, 400, code("DWS.0000"), Maybe(Unknown)),
        (ResizeCluster, 400, code("OBS.0001"), Maybe(Unknown)),
        (ResizeCluster, 400, code("APIGW.0999"), Maybe(Unknown)),
        (ResizeCluster, 400, code("APIGW.03080"), Maybe(Unknown)),
        (ResizeCluster, 400, code("IAM."), Maybe(Unknown)),
        (ResizeCluster, 400, code("XDWS.5050"), Maybe(Unknown)),
        (DeleteCluster, 404, code("VPC.0101"), Maybe(Unknown)),
        (DeleteCluster, 404, String::new(), Maybe(Garbled)),
        (ResizeCluster, 100, String::new(), Maybe(Garbled)),
        (ResizeCluster, 600, String::new(), Maybe(Unavailable)),
    ]);
    rows
}
