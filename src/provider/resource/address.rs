//! A poller's url, taken apart.

use percent_encoding::percent_decode_str;

use super::text::{Form, Piece, Stamp, Text};
use crate::{
    category::ConfigurationError,
    template::{Moment, Placeholder, Segment, Template},
};

/// The characters that stand for placeholders while a url is taken apart: Unicode's first private
/// ones, which no url has a use for.
const FIRST_MARK: u32 = 0xE000;
const MAX_PLACEHOLDERS: usize = 256;

pub(super) const FIELD: &str = "spec.url";

/// A url's path and parameters, decoded, with a mark for each placeholder.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// `https://host` where the url is absolute.
    pub(super) origin: Option<String>,
    pub(super) path: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) marks: Marks,
}

/// The placeholders that marks stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<Placeholder>);

impl Address {
    /// Takes a url apart.
    pub(super) fn parse(url: &str) -> Result<Self, ConfigurationError> {
        let template = Template::parse(url.trim()).map_err(|error| refuse(error.to_string()))?;
        let (marked, marks) = mark(&template)?;
        let (address, query) = marked.split_once('?').unwrap_or((&marked, ""));
        let (origin, path) = origin(address);
        let parameters = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                Ok((decode(&unplussed(name))?, decode(&unplussed(value))?))
            });
        Ok(Self {
            origin,
            path: decode(path)?,
            parameters: parameters.collect::<Result<_, _>>()?,
            marks,
        })
    }

    /// Takes all parameters of this name out; the last counts.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let taken = self.parameters.extract_if(.., |(key, _)| key == name);
        taken.last().map(|(_, value)| value)
    }
}

impl Marks {
    pub(super) fn get(&self, mark: char) -> Option<&Placeholder> {
        let index = u32::from(mark).checked_sub(FIRST_MARK)?;
        self.0.get(usize::try_from(index).ok()?)
    }

    /// The first placeholder in the text that prints the bound.
    pub(super) fn bound_in(&self, text: &str) -> Option<&Placeholder> {
        text.chars().find_map(|mark| {
            self.get(mark)
                .filter(|placeholder| placeholder.moment() == Moment::Bound)
        })
    }

    /// As the user wrote it.
    pub(super) fn unmark(&self, text: &str) -> String {
        text.chars().fold(String::new(), |mut unmarked, character| {
            match self.get(character) {
                Some(placeholder) => unmarked.push_str(placeholder.text()),
                None => unmarked.push(character),
            }
            unmarked
        })
    }

    /// The text with stamps for its marks, printed in `form` or as the url says.
    pub(super) fn text(&self, marked: &str, form: Option<&Form>, lower: bool) -> Text {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        for character in marked.chars() {
            let Some(placeholder) = self.get(character) else {
                literal.push(character);
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            let form = form
                .cloned()
                .unwrap_or_else(|| Form::Placeholder(placeholder.clone()));
            pieces.push(Piece::Stamp(Stamp {
                moment: placeholder.moment(),
                form,
                lower,
            }));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Text(pieces)
    }
}

/// An error at the url.
pub(super) fn refuse(message: impl Into<String>) -> ConfigurationError {
    ConfigurationError::new(FIELD, message)
}

fn mark(template: &Template) -> Result<(String, Marks), ConfigurationError> {
    let (mut text, mut marks) = (String::new(), Vec::new());
    for segment in template.segments() {
        match segment {
            Segment::Literal(literal) if literal.chars().any(is_mark) => {
                return Err(refuse(
                    "the url contains characters of Unicode's private area; remove them",
                ));
            }
            Segment::Literal(literal) => text.push_str(literal),
            Segment::Placeholder(placeholder) => {
                let next = u32::try_from(marks.len())
                    .ok()
                    .filter(|_| marks.len() < MAX_PLACEHOLDERS);
                let next = next.and_then(|index| char::from_u32(FIRST_MARK + index));
                text.push(
                    next.ok_or_else(|| refuse("the url has more placeholders than any url needs"))?,
                );
                marks.push(placeholder.clone());
            }
        }
    }
    Ok((text, Marks(marks)))
}

fn is_mark(character: char) -> bool {
    ('\u{E000}'..='\u{F8FF}').contains(&character)
}

fn origin(address: &str) -> (Option<String>, &str) {
    let Some((scheme, rest)) = address.split_once("://") else {
        return (None, address);
    };
    let host = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(host);
    (Some(format!("{scheme}://{host}")), path)
}

/// A query's + is a blank, as forms write it and as providers read it.
fn unplussed(text: &str) -> String {
    text.replace('+', " ")
}

fn decode(text: &str) -> Result<String, ConfigurationError> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded
        .map_err(|_| refuse("the url is not valid UTF-8 after decoding; write % itself as %25"))?;
    if decoded
        .chars()
        .filter(|character| is_mark(*character))
        .count()
        != text.chars().filter(|character| is_mark(*character)).count()
    {
        return Err(refuse(
            "the url contains characters of Unicode's private area; remove them",
        ));
    }
    Ok(decoded.into_owned())
}
