//! The API server's audit log: which user sent which requests.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

/// One finished request, as the API server saw it. A watch is finished when it closes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub(crate) verb: String,
    user: User,
    /// Absent for what is no resource, such as `/version`.
    #[serde(rename = "objectRef", default)]
    pub(crate) object: Object,
    response_status: ResponseStatus,
}

#[derive(Debug, Deserialize)]
struct User {
    username: String,
}

/// What a request was about; a field is empty where the request names none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    /// The plural, in lower case: `pollerresources`.
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl Request {
    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> u16 {
        self.response_status.code
    }

    /// Whether it meant to change something, dry run or not.
    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// The requests of one user in the log, in the order in which they finished. A service account's user is
/// `system:serviceaccount:NAMESPACE:NAME`.
pub(crate) fn requests_by(user: &str, log: &str) -> Vec<Request> {
    log.lines()
        .map(|line| serde_json::from_str::<Request>(line).expect("a line of the audit log"))
        .filter(|request| request.user.username == user)
        .collect()
}

/// Reads the log once a request with this marker in its URI stands in it. The server may answer a request
/// a moment before it logs it; whoever sends the marker last knows that all earlier requests are there.
pub(crate) async fn read_up_to(marker: &str, log: &Path) -> String {
    let logged = async {
        loop {
            let text = tokio::fs::read_to_string(log).await.expect("the audit log");
            if let Some((before, _)) = text.split_once(marker) {
                let whole_lines = before.rfind('\n').map_or(0, |end| end + 1);
                return before[..whole_lines].to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), logged)
        .await
        .expect("the marker in the audit log within 10 s")
}
