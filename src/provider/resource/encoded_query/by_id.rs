//! Queries by id, without the condition on the updated date.

use chrono::{DateTime, Utc};

use super::{EncodedQuery, escape};
use crate::provider::{IdAsk, resource::text::Moments};

impl EncodedQuery {
    /// The query of one request by id.
    pub(in crate::provider::resource) fn print_by_id(
        &self,
        ask: &IdAsk,
        now: DateTime<Utc>,
    ) -> String {
        let groups = match ask {
            IdAsk::Among(ids) => self.among(ids),
            IdAsk::Records(ids) => self.undated(now, Some(self.among(ids))),
            IdAsk::After(key) => self.undated(now, Some(format!("{}>{}", self.key, escape(key)))),
            IdAsk::First | IdAsk::Offset(_) | IdAsk::Link(_) => self.undated(now, None),
        };
        let order = format!("ORDERBY{}", self.key);
        if groups.is_empty() {
            order
        } else {
            format!("{groups}^{order}")
        }
    }

    /// The queries between `^NQ` without their dates, each with one condition more.
    fn undated(&self, now: DateTime<Utc>, condition: Option<String>) -> String {
        let moments = Moments {
            bound: DateTime::UNIX_EPOCH,
            now,
        };
        let groups = self.groups.iter().map(|group| {
            let terms = group.iter().map(|term| term.print(moments));
            terms.chain(condition.clone()).collect::<Vec<_>>().join("^")
        });
        groups.collect::<Vec<_>>().join("^NQ")
    }

    /// The condition that picks these ids. A list is separated by commas, which an id may hold too.
    fn among(&self, ids: &[String]) -> String {
        let key = &self.key;
        let ids: Vec<_> = ids.iter().map(|id| escape(id)).collect();
        if ids.iter().any(|id| id.contains(',')) {
            format!("{key}={}", ids.join(&format!("^OR{key}=")))
        } else {
            format!("{key}IN{}", ids.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::resource::{address::Marks, encoded_query::Names, text::Form};
    use crate::template::{DatePattern, Zone};

    fn printed(query: &str, ask: &IdAsk) -> String {
        let form = Form::Literal {
            pattern: DatePattern::parse("yyyy").unwrap(),
            zone: Zone::Utc,
        };
        let names = Names {
            updated: Some("sys_updated_on"),
            key: "sys_id",
            form: &form,
        };
        let mut query = EncodedQuery::parse(query, &Marks::default(), names, false).unwrap();
        query.add_date(names);
        query.print_by_id(ask, DateTime::UNIX_EPOCH)
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_list_has_the_other_conditions_and_no_date() {
        assert_eq!(printed("", &IdAsk::First), "ORDERBYsys_id");
        assert_eq!(
            printed("active=true^NQpriority=1", &IdAsk::After("a^b".to_owned())),
            "active=true^sys_id>a^^b^NQpriority=1^sys_id>a^^b^ORDERBYsys_id"
        );
    }

    #[test]
    fn records_are_fetched_under_the_conditions_and_looked_for_without_them() {
        let both = ids(&["a", "b"]);
        assert_eq!(
            printed("active=true", &IdAsk::Records(both.clone())),
            "active=true^sys_idINa,b^ORDERBYsys_id"
        );
        assert_eq!(
            printed("active=true", &IdAsk::Among(both)),
            "sys_idINa,b^ORDERBYsys_id"
        );
    }

    #[test]
    fn an_id_with_a_comma_is_not_taken_for_two() {
        assert_eq!(
            printed("", &IdAsk::Among(ids(&["a,b", "c"]))),
            "sys_id=a,b^ORsys_id=c^ORDERBYsys_id"
        );
    }
}
