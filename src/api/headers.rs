//! The headers of a notification that no spec may set.

/// Writes one list down for the contract's rules, which are text, and for the code.
macro_rules! reserved {
    ($first:literal $(, $name:literal)* $(,)?) => {
        /// Headers that are the transport's, or that a notification sets itself; in lower case.
        pub const RESERVED_HEADERS: &[&str] = &[$first $(, $name)*];

        /// The rule on a map of headers.
        pub(super) const NO_RESERVED_KEY: (&str, &str) = (
            concat!("!self.exists(k, k.lowerAscii() in ['", $first, $("', '", $name,)* "'])"),
            "holds a header that Pollen writes itself: leave out Host, Connection, TE, Upgrade, \
             Content-*, Transfer-Encoding, Elements-Webhook-Id, WebHook-Request-Origin and those of \
             the signature",
        );

        /// The rule on the name of a header.
        pub(super) const NOT_RESERVED: (&str, &str) = (
            concat!("!(self.lowerAscii() in ['", $first, $("', '", $name,)* "'])"),
            "is a header that Pollen writes itself: write another, such as X-Api-Key",
        );
    };
}

reserved![
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "elements-webhook-id",
    "elements-webhook-signature",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-request-origin",
    "webhook-signature",
    "webhook-timestamp",
];
