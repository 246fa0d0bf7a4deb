//! The words, quotes and symbols of a clause.

use super::{Marks, wrong};
use crate::category::ConfigurationError;

const SYMBOLS: [&str; 11] = [">=", "<=", "!=", "<>", "==", "=", ">", "<", "(", ")", ","];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

pub(super) struct Lexer<'c> {
    clause: &'c str,
    marks: &'c Marks,
    rest: &'c str,
    peeked: Option<(Token, &'c str)>,
}

impl<'c> Lexer<'c> {
    pub(super) const fn new(clause: &'c str, marks: &'c Marks) -> Self {
        Self {
            clause,
            marks,
            rest: clause,
            peeked: None,
        }
    }

    pub(super) fn peek(&mut self) -> Result<Option<&Token>, ConfigurationError> {
        if self.peeked.is_none() {
            self.rest = self.rest.trim_start();
            self.peeked = self.read()?;
        }
        Ok(self.peeked.as_ref().map(|(token, _)| token))
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, ConfigurationError> {
        self.peek()?;
        Ok(self.peeked.take().map(|(token, after)| {
            self.rest = after;
            token
        }))
    }

    pub(super) fn take_word(&mut self, word: &str) -> Result<bool, ConfigurationError> {
        let found =
            matches!(self.peek()?, Some(Token::Word(text)) if text.eq_ignore_ascii_case(word));
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> Result<bool, ConfigurationError> {
        let found = matches!(self.peek()?, Some(Token::Symbol(text)) if *text == symbol);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Where the next token begins, in characters of what the user wrote.
    pub(super) fn column(&mut self) -> Result<usize, ConfigurationError> {
        self.peek()?;
        Ok(self.here())
    }

    /// The error that something else stands here.
    pub(super) fn expected(&self, what: &str) -> ConfigurationError {
        let found = self
            .marks
            .unmark(self.rest.split_whitespace().next().unwrap_or("the end"));
        wrong(self.here(), &format!("write {what} instead of {found}"))
    }

    fn here(&self) -> usize {
        let before = self.clause.len() - self.rest.len();
        self.marks
            .unmark(self.clause.get(..before).unwrap_or_default())
            .chars()
            .count()
            + 1
    }

    fn read(&self) -> Result<Option<(Token, &'c str)>, ConfigurationError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        if matches!(first, '\'' | '"') {
            return self.quoted(first).map(Some);
        }
        if let Some(symbol) = SYMBOLS
            .into_iter()
            .find(|symbol| self.rest.starts_with(symbol))
        {
            let after = self.rest.get(symbol.len()..).unwrap_or_default();
            return Ok(Some((
                Token::Symbol(if symbol == "==" { "=" } else { symbol }),
                after,
            )));
        }
        let ends = |character: char| character.is_whitespace() || "=<>!(),'\"".contains(character);
        let (word, after) = self
            .rest
            .split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(self.expected("a comparison, as in name='value',"));
        }
        Ok(Some((Token::Word(word.to_owned()), after)))
    }

    /// A quote inside is written twice.
    fn quoted(&self, quote: char) -> Result<(Token, &'c str), ConfigurationError> {
        let mut text = String::new();
        let mut rest = self.rest.strip_prefix(quote).unwrap_or_default();
        while let Some((part, after)) = rest.split_once(quote) {
            text.push_str(part);
            match after.strip_prefix(quote) {
                Some(_) => text.push(quote),
                None => return Ok((Token::Quoted(text), after)),
            }
            rest = after.strip_prefix(quote).unwrap_or(after);
        }
        Err(wrong(
            self.here(),
            &format!("this quote is not closed; add {quote} behind the value"),
        ))
    }
}
