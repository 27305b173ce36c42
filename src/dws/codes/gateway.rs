//! Codes of the API gateway that stands before the service. Most of them mean that the request never
//! came through; `0201` and all of `06xx` do not.

use super::{Code, codes};

pub(super) const CODES: &[Code] = codes! { Gateway:
    "APIGW.0101" [404] Unavailable "Check region and DWS_ENDPOINT: the gateway knows no such API at this address.";
    "APIGW.0201" [400 504] Unavailable "Wait: the gateway could not finish the request, and whether the service did is looked up.";
    "APIGW.0301" [401] Unauthenticated "Check access key, secret key and the clock of this machine: signature or token was refused.";
    "APIGW.0302" [403] Forbidden "Grant the user the right to call the data warehouse API.";
    "APIGW.0303" [401] Unauthenticated "Use an access key or a user with password: an application's authentication was refused.";
    "APIGW.0304" [403] Forbidden "Use a user's credentials: the application is not allowed to call this API.";
    "APIGW.0305" [401] Unauthenticated "Correct the credentials: the gateway refused the authentication.";
    "APIGW.0306" [403] Forbidden "Ask for access: the gateway keeps this user or address from the API.";
    "APIGW.0307" [401] Unauthenticated "Wait for a new token, and correct user and password if that is refused as well.";
    "APIGW.0308" [429] Throttled "Wait, or lower --max-requests-per-second: the account's request limit is reached.";
    "APIGW.0601" [500] Unavailable "Wait: the gateway failed inside, and whether the service acted is looked up.";
    "APIGW.0613" [503] Unavailable "Wait: the service behind the gateway does not answer.";
    "APIGW.0802" [403] Forbidden "Use credentials that are valid in this region, or correct HW_REGION_NAME.";
};
