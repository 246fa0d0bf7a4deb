//! What is wrong with a body.

use std::fmt;

use serde_json::Value;

use super::PageError;
use crate::{category::Category, network, provider::words};

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::provider) enum Fault {
    Empty,
    Html,
    Truncated,
    Malformed {
        line: usize,
        column: usize,
    },
    NotARecord {
        index: usize,
    },
    NoList {
        path: String,
    },
    /// The provider's own words: the parts of the body that state a failure, under their paths.
    Stated(Value),
}

impl Fault {
    /// Whether a smaller page may do: bodies are streamed, and break where the provider's time
    /// for the request ran out.
    pub(in crate::provider) const fn may_be_size(&self) -> bool {
        matches!(
            self,
            Self::Truncated | Self::Malformed { .. } | Self::NotARecord { .. }
        )
    }

    pub(super) fn into_page_error(self) -> PageError {
        PageError {
            category: Category::Provider,
            message: self.to_string(),
            shrink: self.may_be_size(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the page has no body"),
            Self::Html => formatter.write_str("the page is HTML instead of JSON: the provider may be asleep or asking a person to log in"),
            Self::Truncated => formatter.write_str("the page ends in the middle of its JSON"),
            Self::Malformed { line, column } => {
                write!(formatter, "the page is malformed JSON at line {line} column {column}")
            }
            Self::NotARecord { index } => write!(formatter, "item {index} of the page is no JSON object"),
            Self::NoList { path } => write!(formatter, "the page does not have one list of records at {path:?}"),
            Self::Stated(body) => write!(formatter, "the page states an error: {}", network::one_line(&words::of_body(body))),
        }
    }
}
