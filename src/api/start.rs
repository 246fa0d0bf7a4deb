//! Where a poller starts, and the stretch of time that it reads once more.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::patterns;

/// Where a new poller starts: `Now`, `Beginning`, or an RFC 3339 instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StartFrom {
    /// At the object's creation, or when events were first switched on.
    #[default]
    Now,
    /// At the earliest date that the connector knows.
    Beginning,
    /// At an instant.
    At(DateTime<Utc>),
}

impl Serialize for StartFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now => serializer.serialize_str("Now"),
            Self::Beginning => serializer.serialize_str("Beginning"),
            Self::At(instant) => instant.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StartFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "Now" => Ok(Self::Now),
            "Beginning" => Ok(Self::Beginning),
            _ => text.parse().map(Self::At).map_err(|_| {
                D::Error::custom(format!(
                    "{text:?} is no start: write Now, Beginning, or an RFC 3339 instant such as 2026-01-31T00:00:00Z"
                ))
            }),
        }
    }
}

impl JsonSchema for StartFrom {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StartFrom".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 35,
            "pattern": patterns::START_FROM,
            // The pattern lets 30 February through, and only the conversion knows leap years.
            "x-kubernetes-validations": [{
                "rule": "self in ['Now', 'Beginning'] || timestamp(self) >= timestamp('1900-01-01T00:00:00Z')",
                "message": "is no instant since 1900: write Now, Beginning, or an RFC 3339 instant such as 2026-01-31T00:00:00Z",
            }],
        })
    }
}

/// A stretch of time that is read once more, whether or not it lies behind the poller's start.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.to) || self.from < self.to").message(
    "is not behind replay.from: write a later instant, or leave it out to read up to the present"
).field_path(".to"))]
pub struct Replay {
    /// What tells this replay from earlier ones: each id is run once, so that the field may stay
    /// in git.
    #[schemars(length(min = 1, max = 63), regex(pattern = patterns::ID))]
    pub id: String,
    /// The first updated date that is read, as an RFC 3339 instant since 1900. It may lie before the
    /// poller's start.
    #[schemars(length(max = 35), regex(pattern = patterns::INSTANT))]
    #[x_kube(validation = (
        "self >= timestamp('1900-01-01T00:00:00Z')",
        "is no instant since 1900: write an RFC 3339 instant such as 2026-01-31T00:00:00Z"
    ))]
    pub from: DateTime<Utc>,
    /// The last updated date that is read, and never one behind the watermark when the replay begins.
    /// Default that watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35), regex(pattern = patterns::INSTANT))]
    pub to: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#""Now""#, StartFrom::Now)]
    #[case(r#""Beginning""#, StartFrom::Beginning)]
    #[case(r#""2026-01-31T00:00:00Z""#, StartFrom::At(DateTime::from_timestamp(1_769_817_600, 0).unwrap()))]
    fn a_start_reads_and_writes_as_one_word_or_an_instant(
        #[case] json: &str,
        #[case] start: StartFrom,
    ) {
        assert_eq!(serde_json::from_str::<StartFrom>(json).unwrap(), start);
        assert_eq!(serde_json::to_string(&start).unwrap(), json);
    }

    #[rstest]
    #[case("now")]
    #[case("yesterday")]
    #[case("2026-02-30T00:00:00Z")]
    fn what_is_no_start_is_refused_with_what_to_write(#[case] text: &str) {
        let error = serde_json::from_value::<StartFrom>(text.into())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("write Now, Beginning, or an RFC 3339 instant"),
            "{error}"
        );
    }
}
