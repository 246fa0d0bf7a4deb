//! A poller's URL, taken apart into its literal text and its placeholders.

mod descriptor;

use super::{Instants, Moment, PatternError, Placeholder, Unit, ZoneError};

/// A URL with placeholders, as `url` of a poller has it.
///
/// | placeholder | prints |
/// |---|---|
/// | `${gmtDate:FORMAT}` | the bound in GMT |
/// | `${date:FORMAT}` | the bound in the default zone |
/// | `${date}` | the bound as `yyyy-MM-dd'T'HH:mm:ss'Z'` in GMT |
/// | `${dateTimeZone:ZONE:FORMAT}` | the bound in a zone |
/// | `${nowTimeZone:ZONE:FORMAT}` | the start of this poll in a zone |
/// | `${epoch}`, `${epoch:ms}`, `${milliseconds}` | the bound in milliseconds since 1970 |
/// | `${epoch:s}`, `${epoch:us}` | in seconds, in microseconds |
/// | `${epoch:0}` | `0`: everything, at every poll |
///
/// The words are read in any case, since `DateTimeZone` occurs. Open Connectors never documented
/// the format of a bare `${date}` nor `${epoch:0}`. The first stands in `where` clauses of its
/// hubs, which take ISO 8601; the second in a path that asks for everything since a time stamp, so
/// that `0` can lose nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    segments: Box<[Segment]>,
}

/// A stretch of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    Literal(Box<str>),
    Placeholder(Placeholder),
}

/// What is wrong with which part of a URL; columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} in column {column} of the url: {problem}")]
pub struct TemplateError {
    pub column: usize,
    /// The placeholder, or as much of it as can be told.
    pub text: String,
    pub problem: Problem,
}

/// What is wrong with a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("the placeholder is not closed; end it with }}")]
    Open,
    #[error(
        "this closes no placeholder; begin one with ${{, as in ${{gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}}"
    )]
    Unopened,
    #[error(
        "{0} is to be replaced by what it says, such as a time zone's name: America/New_York or -6:00"
    )]
    Unfilled(String),
    #[error(
        "no such placeholder; write gmtDate:FORMAT, date:FORMAT, date, dateTimeZone:ZONE:FORMAT, \
         nowTimeZone:ZONE:FORMAT, epoch, epoch:s, epoch:ms, epoch:us or milliseconds"
    )]
    Unknown,
    #[error("a format alone; write ${{gmtDate:{0}}}")]
    NoWord(String),
    #[error("write {0}:FORMAT, such as {0}:yyyy-MM-dd'T'HH:mm:ss'Z'")]
    NoFormat(&'static str),
    #[error("write {0}:ZONE:FORMAT, such as {0}:GMT:yyyy-MM-dd'T'HH:mm:ss")]
    NoZone(&'static str),
    #[error("write epoch:s, epoch:ms, epoch:us or epoch:0")]
    EpochUnit,
    #[error("{0} takes no format")]
    NoArgument(&'static str),
    #[error(transparent)]
    Format(PatternError),
    #[error(transparent)]
    Zone(ZoneError),
}

impl Template {
    /// Takes a URL apart. Braces that aren't a placeholder's stay as they are when they are
    /// closed (`{calendarId}`); a `}` that closes nothing is what a placeholder with a broken
    /// beginning leaves behind, and an error.
    pub fn parse(url: &str) -> Result<Template, TemplateError> {
        let mut segments = Vec::new();
        let mut at = 0;
        let mut rest = url;
        while let Some((literal, after)) = rest.split_once("${") {
            push_literal(&mut segments, url, at, literal)?;
            let start = at + literal.len();
            let length = inner_length(url, start, after)?;
            let (inner, after) = after.split_at_checked(length).unwrap_or((after, ""));
            segments.push(Segment::Placeholder(placeholder(url, start, inner)?));
            rest = after.strip_prefix('}').unwrap_or(after);
            at = url.len() - rest.len();
        }
        push_literal(&mut segments, url, at, rest)?;
        Ok(Template {
            segments: segments.into(),
        })
    }

    /// The URL for a poll.
    pub fn render(&self, instants: &Instants) -> String {
        let mut url = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => url.push_str(text),
                Segment::Placeholder(placeholder) => placeholder.render_to(&mut url, instants),
            }
        }
        url
    }

    /// The URL in its parts, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder(placeholder) => Some(placeholder),
            Segment::Literal(_) => None,
        })
    }

    /// Whether the URL asks for changes since the bound, rather than for everything.
    pub fn has_bound(&self) -> bool {
        self.unit().is_some()
    }

    /// The coarsest unit in which the bound is printed; `None` where it isn't.
    pub fn unit(&self) -> Option<Unit> {
        let bound = self
            .placeholders()
            .filter(|placeholder| placeholder.moment() == Moment::Bound);
        bound.map(Placeholder::unit).max()
    }
}

fn push_literal(
    segments: &mut Vec<Segment>,
    url: &str,
    at: usize,
    text: &str,
) -> Result<(), TemplateError> {
    let mut open = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' if open == 0 => return Err(unopened(url, at, text, index)),
            '}' => open -= 1,
            _ => {}
        }
    }
    if !text.is_empty() {
        segments.push(Segment::Literal(text.into()));
    }
    Ok(())
}

/// Names the `$` before a stray `}`, since a lost `{` is what leaves one.
fn unopened(url: &str, at: usize, text: &str, index: usize) -> TemplateError {
    let before = text.get(..index).unwrap_or_default();
    let start = before.rfind('$').unwrap_or(index);
    let broken = text.get(start..=index).unwrap_or("}");
    error(url, at + start, broken, Problem::Unopened)
}

fn inner_length(url: &str, start: usize, after: &str) -> Result<usize, TemplateError> {
    let broken = |end: usize, problem| {
        let text = url.get(start..start + 2 + end).unwrap_or_default();
        error(url, start, text, problem)
    };
    let open = || broken(after.len(), Problem::Open);
    let end = after.find(['{', '}']).ok_or_else(open)?;
    if after.get(end..).is_some_and(|brace| brace.starts_with('}')) {
        return Ok(end);
    }
    // `${dateTimeZone:{TimeZone}:…}` of a documentation page: the inner braces are the reader's.
    let inner = after.get(end..).unwrap_or_default();
    let close = inner.find('}').ok_or_else(open)?;
    let unfilled = inner.get(..=close).unwrap_or_default().to_owned();
    let whole = inner
        .get(close + 1..)
        .and_then(|rest| rest.find('}'))
        .map_or(after.len(), |rest| end + close + rest + 2);
    Err(broken(whole, Problem::Unfilled(unfilled)))
}

fn placeholder(url: &str, start: usize, inner: &str) -> Result<Placeholder, TemplateError> {
    let text = format!("${{{inner}}}");
    match descriptor::read(inner) {
        Ok((moment, form)) => Ok(Placeholder {
            text: text.into(),
            column: column(url, start),
            moment,
            form,
        }),
        Err(problem) => Err(error(url, start, &text, problem)),
    }
}

fn error(url: &str, at: usize, text: &str, problem: Problem) -> TemplateError {
    TemplateError {
        column: column(url, at),
        text: text.to_owned(),
        problem,
    }
}

fn column(url: &str, at: usize) -> usize {
    url.char_indices()
        .take_while(|(index, _)| *index < at)
        .count()
        + 1
}

#[cfg(test)]
mod tests;
