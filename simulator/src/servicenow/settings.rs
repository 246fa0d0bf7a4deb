//! What an administrator of the instance can set, and how it deviates from a well-behaved one.

use std::time::Duration;

/// The instance's configuration; a change is in effect for the next request.
#[derive(Clone, Debug)]
pub struct Settings {
    pub client_id: String,
    pub client_secret: String,
    pub username: String,
    pub password: String,
    /// An authorization code that works once; another text is another code.
    pub code: String,
    /// What a request for tokens must repeat with [`code`](Self::code); unchecked if there is none.
    pub redirect_uri: Option<String>,
    /// Whether the user who is asked on the authorization page consents.
    pub consents: bool,
    pub access_token_lifetime: Duration,
    pub refresh_token_lifetime: Duration,
    /// A refresh ends the refresh token that it used and issues another; ServiceNow's own doesn't.
    pub rotate_refresh_tokens: bool,
    /// How long a refresh token that was rotated still serves, for clients that never saw the answer.
    pub rotation_grace: Duration,
    /// What `sysparm_limit` is cut to.
    pub max_limit: usize,
    /// Tables that the account has no right to read.
    pub withheld_tables: Vec<String>,
    pub ignores_filter: bool,
    pub ignores_order: bool,
    /// How far the zone in which dates of queries are read lies east of Greenwich.
    pub literal_offset_seconds: i64,
    pub sends_total: bool,
    pub sends_link: bool,
    pub links: Links,
    /// A comma within a link is written as `%2C`, which tells it from one between links.
    pub encodes_commas_in_links: bool,
    /// An id of digits alone is written as a number.
    pub numeric_ids: bool,
    /// `glide.invalid_query.returns_no_rows`; otherwise an invalid part of a query is left out.
    pub invalid_query_returns_no_rows: bool,
}

/// Where the links of a page lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// To a whole URL, as an instance's do.
    Absolute,
    /// To a path of the same host.
    Relative,
    /// The one to the next page leads to the first again.
    Circular,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "demo-client".to_owned(),
            client_secret: "demo-secret".to_owned(),
            username: "integration".to_owned(),
            password: "demo-password".to_owned(),
            code: "demo-code".to_owned(),
            redirect_uri: None,
            consents: true,
            access_token_lifetime: Duration::from_mins(30),
            refresh_token_lifetime: Duration::from_hours(100 * 24),
            rotate_refresh_tokens: false,
            rotation_grace: Duration::ZERO,
            max_limit: 10_000,
            withheld_tables: Vec::new(),
            ignores_filter: false,
            ignores_order: false,
            literal_offset_seconds: 0,
            sends_total: true,
            sends_link: true,
            links: Links::Absolute,
            encodes_commas_in_links: true,
            numeric_ids: false,
            invalid_query_returns_no_rows: false,
        }
    }
}
