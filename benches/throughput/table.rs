//! A table of a ServiceNow: its records, rendered once.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Records that share an updated date: imports and busy queues touch several in a second.
const PER_SECOND: usize = 10;

/// The first record's updated date: 2024-05-01.
const BEGIN: i64 = 1_714_521_600;

/// How the Table API writes dates.
const DATE: &str = "%Y-%m-%d %H:%M:%S";

/// Records in the order of their updated dates.
pub(crate) struct Table {
    /// The records with commas between.
    text: String,
    /// Where each record ends in the text.
    ends: Vec<usize>,
}

impl Table {
    /// A table of so many incidents of about 1 KB, or as much longer as `notes` is.
    pub(crate) fn new(records: usize, notes: &str) -> Self {
        let mut table = Self {
            text: String::new(),
            ends: Vec::with_capacity(records),
        };
        for number in 0..records {
            if number > 0 {
                table.text.push(',');
            }
            table.text.push_str(&incident(number, notes));
            table.ends.push(table.text.len());
        }
        table
    }

    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The updated date of the first record.
    pub(crate) fn begin() -> DateTime<Utc> {
        dated(0)
    }

    /// A date behind all records: what the provider's clock shows.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        dated(self.len() + 3600 * PER_SECOND)
    }

    /// The index of the first record dated at or after `date`, as the Table API writes it.
    pub(crate) fn first_from(&self, date: &str) -> Option<usize> {
        let date = NaiveDateTime::parse_from_str(date, DATE).ok()?.and_utc();
        let seconds = usize::try_from(date.timestamp() - BEGIN).unwrap_or(0);
        Some((seconds * PER_SECOND).min(self.len()))
    }

    /// The body of the page of at most `limit` records from index `from` on.
    pub(crate) fn page(&self, from: usize, limit: usize) -> String {
        let to = (from + limit).min(self.len());
        let end = |records: usize| records.checked_sub(1).and_then(|last| self.ends.get(last));
        let start = end(from).map_or(0, |end| end + 1);
        let records = end(to).and_then(|end| self.text.get(start..*end));
        format!(r#"{{"result":[{}]}}"#, records.unwrap_or_default())
    }
}

fn dated(number: usize) -> DateTime<Utc> {
    let seconds = i64::try_from(number / PER_SECOND).unwrap_or(i64::MAX);
    DateTime::from_timestamp(BEGIN.saturating_add(seconds), 0).unwrap_or_default()
}

/// An incident as the Table API returns it: every value a string, escapes in the prose, and most
/// fields empty.
fn incident(number: usize, notes: &str) -> String {
    let key = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let updated = dated(number).format(DATE);
    let modified = number % 23;
    format!(
        r#"{{"parent":"","made_sla":"true","caused_by":"","watch_list":"","upon_reject":"cancel","sys_updated_on":"{updated}","child_incidents":"0","hold_reason":"","task_effective_number":"INC{number:07}","approval_history":"","number":"INC{number:07}","resolved_by":"681ccaf9c0a8016400b98a06818d57c7","sys_updated_by":"beth.anglin","opened_by":"9ee1b13dc6112271007f9d0efdb69cd0","user_input":"","sys_created_on":"2024-04-17 09:12:44","sys_domain":"global","state":"2","sys_created_by":"survey.user","knowledge":"false","order":"","calendar_stc":"","closed_at":"","cmdb_ci":"109562a3c611227500a7b7ff98cc0dc7","delivery_plan":"","impact":"2","active":"true","priority":"3","short_description":"Mail über VPN is slow since the update","description":"The client hangs for minutes.\r\nSeen at \"HQ\" only, on all floors.","assignment_group":"8a5055c9c61122780043563ef53438e3","sys_class_name":"incident","sys_id":"{key:016x}{number:016x}","sys_mod_count":"{modified}","escalation":"0","correlation_id":"","work_notes":"{notes}"}}"#
    )
}
