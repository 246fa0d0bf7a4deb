//! The patterns of the schema, in the syntax that Go's RE2 and Rust's `regex` share, each with
//! what to write where it refuses a value.

/// A length of time. It stands in a rule too, where a backslash would need another.
pub(super) const DURATION: &str = "^([0-9]+([.][0-9]+)?(ms|s|m|h))+$";
/// An absolute http or https URL without user info.
pub(super) const URL: &str = r"^https?://[^/?#@\\]+([/?#].*)?$";
/// An absolute http or https URL without user info, query or fragment.
pub(super) const BASE_URL: &str = r"^https?://[^/?#@\\]+(/[^?#]*)?$";
/// A path, or an absolute URL without user info, on one line.
pub(super) const RESOURCE_URL: &str = r"^(/|https?://[^/?#@\\]+([/?#]|$))[^\x00-\x1f\x7f]*$";
/// A name as Kubernetes gives them (RFC 1123 subdomain).
pub(super) const OBJECT_NAME: &str =
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A host's name (RFC 1123, 2.1).
pub(super) const HOST_NAME: &str =
    r"^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$";
/// A key of the catalog.
pub(super) const CONNECTOR: &str = r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$";
/// A resource of a connector, path parameters included.
pub(super) const RESOURCE: &str = r"^[^\x00-\x20\x7f]+$";
/// A name without surrounding blanks or control characters.
pub(super) const TEXT: &str = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$";
/// The name of an HTTP header (RFC 9110, 5.6.2).
pub(super) const HEADER_NAME: &str = r"^[A-Za-z0-9!#$%&*+.^_|~-]+$";
/// The value of an HTTP header, in what every client can send.
pub(super) const HEADER_VALUE: &str = r"^[\t\x20-\x7e]*$";
/// A time zone's name or offset.
pub(super) const TIME_ZONE: &str = r"^[A-Za-z0-9_+:/-]+$";
/// An id that a person chose.
pub(super) const ID: &str = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
/// An RFC 3339 instant.
pub(super) const INSTANT: &str = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
/// Where a new poller starts.
pub(super) const START_FROM: &str = r"^(Now|Beginning|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))$";

const HINTS: &[(&str, &str)] = &[
    (
        DURATION,
        "write numbers with their units ms, s, m or h, such as 30s, 15m or 1h30m",
    ),
    (
        URL,
        "write an absolute URL such as https://host/path, without user name and password",
    ),
    (
        BASE_URL,
        "write an absolute URL such as https://host/path, without user info, query and fragment",
    ),
    (
        RESOURCE_URL,
        "write a path that begins with / or an absolute URL without user info, on one line",
    ),
    (
        OBJECT_NAME,
        "write an object's name: lower-case letters, digits, '-' and '.'",
    ),
    (HOST_NAME, "write a host's name such as events.example.com"),
    (
        CONNECTOR,
        "write a key of the catalog such as servicenowoauth; `pollen connectors` lists them",
    ),
    (
        RESOURCE,
        "write a resource's name without blanks, such as accounts",
    ),
    (TEXT, "write it on one line, without blanks around it"),
    (
        HEADER_NAME,
        "write a header's name: letters, digits and '-'",
    ),
    (HEADER_VALUE, "write printable ASCII on one line"),
    (
        TIME_ZONE,
        "write a time zone such as GMT, PST, Europe/Berlin or +02:00",
    ),
    (ID, "write letters, digits, '-', '_' and '.'"),
    (
        INSTANT,
        "write an RFC 3339 instant such as 2026-01-31T00:00:00Z",
    ),
    (
        START_FROM,
        "write Now, Beginning, or an RFC 3339 instant such as 2026-01-31T00:00:00Z",
    ),
];

/// What to write where `pattern` refused a value.
pub(super) fn hint(pattern: &str) -> Option<&'static str> {
    HINTS
        .iter()
        .find(|(known, _)| *known == pattern)
        .map(|(_, hint)| *hint)
}
