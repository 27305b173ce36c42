//! Why a request was not executed: the service's own codes, statuses and messages in both its languages.
//!
//! It knows the reference's error table (6.2) and the codes that real clients met beyond it. It must not know
//! in which of the body styles a refusal is written; that is for [`body`](super::body).

/// One refusal. Certainly nothing was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `DWS.5050`, `APIGW.0301`; for IAM the HTTP status as text.
    pub code: String,
    /// The message in English.
    pub english: String,
    /// The message in Chinese (`X-Language: zh_cn`), as in the reference.
    pub chinese: String,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u64>,
}

/// Code, status, English, Chinese.
type Row = (&'static str, u16, &'static str, &'static str);

const TABLE: &[Row] = &[
    ("DWS.0001", 400, "The request is incorrect.", "请求错误。"),
    ("DWS.0005", 500, "The service is abnormal.", "服务异常。"),
    ("DWS.0006", 400, "The request is empty.", "请求为空。"),
    (
        "DWS.0011",
        409,
        "Another operation is being performed on the cluster. Try again later.",
        "集群正在执行其他操作，请稍后重试。",
    ),
    (
        "DWS.0015",
        403,
        "The resource does not exist or you do not have the permission.",
        "资源不存在或没有权限。",
    ),
    (
        "DWS.0020",
        403,
        "The account or the resource is restricted.",
        "帐号或资源受限。",
    ),
    (
        "DWS.0047",
        404,
        "The cluster does not exist.",
        "集群不存在。",
    ),
    (
        "DWS.3027",
        404,
        "The cluster has been deleted.",
        "集群已被删除。",
    ),
    ("DWS.5006", 400, "Invalid specifications.", "无效的规格。"),
    (
        "DWS.5012",
        400,
        "The region or AZ does not exist.",
        "区域或可用区不存在。",
    ),
    (
        "DWS.5013",
        400,
        "Invalid database root password.",
        "数据库root密码非法。",
    ),
    ("DWS.5014", 400, "Invalid VPC ID.", "VPC id非法。"),
    ("DWS.5015", 400, "Invalid subnet ID.", "子网id非法。"),
    (
        "DWS.5016",
        400,
        "Invalid security group ID.",
        "安全组id非法。",
    ),
    (
        "DWS.5021",
        404,
        "The VPC does not exist or does not belong to the user.",
        "VPC不存在，或不属于该用户。",
    ),
    (
        "DWS.5022",
        404,
        "The subnet does not exist or does not belong to the VPC.",
        "子网不存在，或不属于该VPC。",
    ),
    (
        "DWS.5023",
        404,
        "The security group does not exist or does not belong to the VPC.",
        "安全组不存在，或不属于该VPC。",
    ),
    (
        "DWS.5037",
        400,
        "The parameter does not exist.",
        "参数不存在。",
    ),
    (
        "DWS.5038",
        400,
        "The parameter value is out of range.",
        "参数值超出范围。",
    ),
    (
        "DWS.5047",
        400,
        "Invalid number of instances.",
        "实例个数不合法！",
    ),
    (
        "DWS.5050",
        409,
        "The cluster name already exists.",
        "集群名已经存在。",
    ),
    (
        "DWS.5056",
        400,
        "The length of the string is invalid.",
        "String类型长度违规。",
    ),
    (
        "DWS.5057",
        400,
        "The cluster name contains invalid characters or has an invalid length.",
        "集群名称含非法字符或长度不合法。",
    ),
    (
        "DWS.5059",
        400,
        "Invalid database username.",
        "数据库用户名非法。",
    ),
    ("DWS.5064", 400, "Invalid UUID.", "UUID非法。"),
    ("DWS.5065", 400, "Invalid format.", "格式非法。"),
    (
        "DWS.5082",
        400,
        "Unsupported database username.",
        "不支持的数据库用户名。",
    ),
    (
        "DWS.5091",
        400,
        "The number of nodes reaches the maximum.",
        "节点个数达到最大值。",
    ),
    (
        "DWS.5095",
        400,
        "The current instance type does not support this operation.",
        "当前实例类型不支持此操作。",
    ),
    (
        "DWS.5098",
        400,
        "Invalid EIP binding type.",
        "EIP绑定类型不合法。",
    ),
    ("DWS.5133", 400, "Invalid EIP ID.", "EIP id非法。"),
    ("DWS.5135", 400, "The EIP does not exist.", "EIP不存在。"),
    (
        "DWS.5144",
        400,
        "Invalid cluster administrator password.",
        "集群管理员密码非法。",
    ),
    (
        "DWS.5145",
        400,
        "The cluster administrator password cannot be the username or the username spelled backwards.",
        "集群管理员密码不能与用户名或倒序的用户名相同。",
    ),
    ("DWS.5149", 400, "Invalid snapshot ID.", "快照id不合法。"),
    ("DWS.5199", 400, "Invalid password.", "密码不合法。"),
    (
        "DWS.5200",
        400,
        "The current specifications are sold out. Switch to another AZ or region.",
        "当前规格已售罄，请切换其他可用区或区域。",
    ),
    (
        "DWS.5202",
        400,
        "The subnet ID cannot be left blank.",
        "子网ID不能为空。",
    ),
    (
        "DWS.5203",
        400,
        "The security group ID cannot be left blank.",
        "安全组ID不能为空。",
    ),
    (
        "DWS.7023",
        403,
        "The cluster does not allow this operation in its current state.",
        "集群当前状态不允许该操作。",
    ),
    ("DWS.9999", 500, "Internal service error.", "服务内部错误。"),
    (
        "APIGW.0101",
        404,
        "The API does not exist or has not been published in the environment",
        "The API does not exist or has not been published in the environment",
    ),
    ("APIGW.0201", 504, "Backend timeout", "Backend timeout"),
    (
        "APIGW.0301",
        401,
        "Incorrect IAM authentication information",
        "Incorrect IAM authentication information",
    ),
    (
        "APIGW.0302",
        403,
        "The IAM user is not authorized to access the API",
        "The IAM user is not authorized to access the API",
    ),
    (
        "APIGW.0305",
        401,
        "Incorrect authentication information: an error occurred in the third-party authentication",
        "Incorrect authentication information: an error occurred in the third-party authentication",
    ),
    ("APIGW.0306", 403, "API access denied", "API access denied"),
    (
        "APIGW.0307",
        401,
        "The token must be updated",
        "The token must be updated",
    ),
    (
        "APIGW.0308",
        429,
        "The throttling threshold has been reached",
        "The throttling threshold has been reached",
    ),
    (
        "APIGW.0601",
        500,
        "Internal server error",
        "Internal server error",
    ),
    (
        "APIGW.0613",
        503,
        "The service is busy",
        "The service is busy",
    ),
    (
        "APIGW.0802",
        403,
        "The IAM user is forbidden in the currently selected region",
        "The IAM user is forbidden in the currently selected region",
    ),
];

impl Refusal {
    /// The refusal that the table has for this code; an unknown code is a 400 with the code as its message.
    pub fn of(code: &str) -> Self {
        let (status, english, chinese) = TABLE
            .iter()
            .find(|row| row.0 == code)
            .map_or((400, code, code), |row| (row.1, row.2, row.3));
        Self {
            status,
            code: code.to_owned(),
            english: english.to_owned(),
            chinese: chinese.to_owned(),
            retry_after: None,
        }
    }

    /// An IAM refusal: its code is the status.
    pub fn iam(status: u16, message: &str) -> Self {
        Self {
            status,
            code: status.to_string(),
            english: message.to_owned(),
            chinese: message.to_owned(),
            retry_after: None,
        }
    }

    /// The same with something more after the message, in both languages.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Self {
        for text in [&mut self.english, &mut self.chinese] {
            text.push_str(": ");
            text.push_str(detail);
        }
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// `Refusal::of`, as an error.
pub(super) fn refuse<T>(code: &str) -> Result<T, Refusal> {
    Err(Refusal::of(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_in_order() {
        let codes: Vec<&str> = TABLE.iter().map(|row| row.0).collect();
        let (gateway, service): (Vec<&str>, Vec<&str>) =
            codes.iter().partition(|code| code.starts_with("APIGW"));
        assert!(gateway.is_sorted_by(|a, b| a < b));
        assert!(service.is_sorted_by(|a, b| a < b));
    }
}
