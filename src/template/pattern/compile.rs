//! From a pattern's text to its items.

use super::fields::Rules;
use super::layout::Layout;
use super::letter::Letter;
use super::{Item, Items};
use crate::template::Unit;

/// Longer fields print no more digits: nobody writes them, and a formatting width has a limit.
const MAX_WIDTH: usize = 100;

/// Why a text is no date pattern; columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error(
        "the date format is blank; leave it out, or write one such as yyyy-MM-dd'T'HH:mm:ss'Z'"
    )]
    Blank,
    #[error(
        "date format {pattern:?}: {letter:?} in column {column} is no letter of a date; allowed are \
         G y Y M L w W D d F E u a H k K h m s S z Z X, other text goes between single quotes"
    )]
    UnknownLetter {
        pattern: String,
        letter: char,
        column: usize,
    },
    #[error(
        "date format {pattern:?}: the quote in column {column} is not closed; \
         close it, or write '' for a quote itself"
    )]
    OpenQuote { pattern: String, column: usize },
    #[error("date format {pattern:?}: {width} X in column {column}; write X, XX or XXX")]
    LongOffset {
        pattern: String,
        width: usize,
        column: usize,
    },
    #[error(
        "date format {pattern:?}: Y in column {column} is the year that a week belongs to; write y"
    )]
    WeekYear { pattern: String, column: usize },
    #[error(
        "date format {pattern:?} tells neither a day nor a time; write one such as yyyy-MM-dd'T'HH:mm:ss'Z'"
    )]
    NoField { pattern: String },
}

pub(super) fn compile(pattern: &str) -> Result<Items, PatternError> {
    if pattern.trim().is_empty() {
        return Err(PatternError::Blank);
    }
    let items = fractions(items(pattern)?);
    let letters = || items.iter().filter_map(letter);
    let finest = letters()
        .filter_map(Letter::unit)
        .chain(items.iter().filter_map(fraction_unit))
        .min();
    let Some(finest) = finest else {
        return Err(PatternError::NoField {
            pattern: pattern.to_owned(),
        });
    };
    refuse_week_year(pattern, letters)?;
    let rules = Rules::of(letters());
    let unit = if rules.confuses_halves() {
        Unit::Days
    } else {
        finest
    };
    let layout = Layout::of(&items);
    Ok(Items {
        items: items.into(),
        rules,
        unit,
        layout,
    })
}

fn letter(item: &Item) -> Option<Letter> {
    match item {
        Item::Field { letter, .. } => Some(*letter),
        _ => None,
    }
}

fn fraction_unit(item: &Item) -> Option<Unit> {
    match item {
        Item::Fraction { width: 0..6, .. } => Some(Unit::Milliseconds),
        Item::Fraction { width: 6..9, .. } => Some(Unit::Microseconds),
        Item::Fraction { .. } => Some(Unit::Nanoseconds),
        _ => None,
    }
}

/// `YYYY-MM-dd` is right on most days of the year and off by a year around its end.
fn refuse_week_year<I: Iterator<Item = Letter>>(
    pattern: &str,
    letters: impl Fn() -> I,
) -> Result<(), PatternError> {
    let has = |wanted: &[Letter]| letters().any(|letter| wanted.contains(&letter));
    let day = has(&[Letter::Month, Letter::DayOfMonth, Letter::DayOfYear]);
    if has(&[Letter::WeekYear]) && day && !has(&[Letter::WeekOfYear, Letter::Year]) {
        let column = pattern
            .chars()
            .position(|letter| letter == 'Y')
            .unwrap_or(0)
            + 1;
        return Err(PatternError::WeekYear {
            pattern: pattern.to_owned(),
            column,
        });
    }
    Ok(())
}

fn items(pattern: &str) -> Result<Vec<Item>, PatternError> {
    let mut characters = pattern.chars().zip(1..).peekable();
    let mut items = Vec::new();
    while let Some((character, column)) = characters.next() {
        match character {
            '\'' => quoted(pattern, column, &mut characters, &mut items)?,
            'a'..='z' | 'A'..='Z' => {
                let mut width = 1;
                while characters.next_if(|(next, _)| *next == character).is_some() {
                    width += 1;
                }
                push_field(&mut items, field(pattern, character, column, width)?);
            }
            _ => push_literal(&mut items, character),
        }
    }
    Ok(items)
}

fn quoted(
    pattern: &str,
    column: usize,
    characters: &mut std::iter::Peekable<impl Iterator<Item = (char, usize)>>,
    items: &mut Vec<Item>,
) -> Result<(), PatternError> {
    if characters.next_if(|(next, _)| *next == '\'').is_some() {
        push_literal(items, '\'');
        return Ok(());
    }
    while let Some((character, _)) = characters.next() {
        if character == '\'' && characters.next_if(|(next, _)| *next == '\'').is_none() {
            return Ok(());
        }
        push_literal(items, character);
    }
    Err(PatternError::OpenQuote {
        pattern: pattern.to_owned(),
        column,
    })
}

fn field(
    pattern: &str,
    character: char,
    column: usize,
    width: usize,
) -> Result<Item, PatternError> {
    match Letter::from_char(character) {
        None => Err(PatternError::UnknownLetter {
            pattern: pattern.to_owned(),
            letter: character,
            column,
        }),
        Some(Letter::IsoOffset) if width > 3 => Err(PatternError::LongOffset {
            pattern: pattern.to_owned(),
            width,
            column,
        }),
        Some(letter) => Ok(Item::Field {
            letter,
            width: width.min(MAX_WIDTH),
            bounded: false,
        }),
    }
}

fn push_field(items: &mut Vec<Item>, item: Item) {
    let Item::Field { letter, width, .. } = item else {
        return;
    };
    if let Some(Item::Field { bounded, .. }) = items.last_mut() {
        *bounded = letter.is_number(width);
    }
    items.push(item);
}

fn push_literal(items: &mut Vec<Item>, character: char) {
    if let Some(Item::Literal(text)) = items.last_mut() {
        text.push(character);
    } else {
        items.push(Item::Literal(character.into()));
    }
}

/// Turns the `S` that follow seconds into fractions, together with the `.` or `,` before them.
fn fractions(items: Vec<Item>) -> Vec<Item> {
    let mut read: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        match (read.as_slice(), &item) {
            (
                [.., seconds, Item::Literal(point)],
                Item::Field {
                    letter: Letter::Millisecond,
                    width,
                    bounded: false,
                },
            ) if is_seconds(seconds) && matches!(point.as_str(), "." | ",") => {
                let separator = point.chars().next();
                read.pop();
                read.push(Item::Fraction {
                    separator,
                    width: *width,
                });
            }
            (
                [.., seconds],
                Item::Field {
                    letter: Letter::Millisecond,
                    width,
                    bounded: false,
                },
            ) if is_seconds(seconds) => {
                read.push(Item::Fraction {
                    separator: None,
                    width: *width,
                });
            }
            _ => read.push(item),
        }
    }
    read
}

pub(super) fn is_seconds(item: &Item) -> bool {
    matches!(
        item,
        Item::Field {
            letter: Letter::Second,
            ..
        }
    )
}
