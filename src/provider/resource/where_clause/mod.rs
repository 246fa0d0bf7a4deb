//! The `where` clauses of Open Connectors: `field op 'literal'` joined by `and` and `or`.

mod lexer;

use super::address::{Marks, refuse};
use crate::category::ConfigurationError;
use lexer::{Lexer, Token};

/// Parentheses nested deeper than this are refused.
const MAX_DEPTH: usize = 16;

/// What a clause demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Is(Comparison),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Where it begins in the clause, in characters from 1.
    pub(super) column: usize,
    pub(super) field: String,
    pub(super) operator: Operator,
    /// One, but for `in`.
    pub(super) values: Vec<String>,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    In,
}

/// Reads a clause; a blank one demands nothing.
pub(super) fn parse(clause: &str, marks: &Marks) -> Result<Option<Expression>, ConfigurationError> {
    let mut parser = Parser {
        lexer: Lexer::new(clause, marks),
        depth: 0,
    };
    if parser.lexer.peek()?.is_none() {
        return Ok(None);
    }
    let expression = parser.any()?;
    match parser.lexer.peek()? {
        None => Ok(Some(expression)),
        Some(_) => Err(parser.lexer.expected("and, or, or the end")),
    }
}

/// An error in a clause.
pub(super) fn wrong(column: usize, problem: &str) -> ConfigurationError {
    refuse(format!("where clause, column {column}: {problem}"))
}

struct Parser<'c> {
    lexer: Lexer<'c>,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, ConfigurationError> {
        let mut parts = vec![self.all()?];
        while self.lexer.take_word("or")? {
            parts.push(self.all()?);
        }
        Ok(single(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, ConfigurationError> {
        let mut parts = vec![self.part()?];
        while self.lexer.take_word("and")? {
            parts.push(self.part()?);
        }
        Ok(single(parts, Expression::All))
    }

    fn part(&mut self) -> Result<Expression, ConfigurationError> {
        if !self.lexer.take_symbol("(")? {
            return self.comparison().map(Expression::Is);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.lexer.expected("fewer parentheses inside each other"));
        }
        let inner = self.any()?;
        self.depth -= 1;
        if self.lexer.take_symbol(")")? {
            Ok(inner)
        } else {
            Err(self.lexer.expected(")"))
        }
    }

    fn comparison(&mut self) -> Result<Comparison, ConfigurationError> {
        let column = self.lexer.column()?;
        let field = match self.lexer.next()? {
            Some(Token::Word(text) | Token::Quoted(text)) => text,
            _ => {
                return Err(wrong(
                    column,
                    "a field's name is missing, as in name='value'",
                ));
            }
        };
        let operator = self.operator()?;
        let values = if operator == Operator::In {
            self.list()?
        } else {
            vec![self.value()?]
        };
        Ok(Comparison {
            column,
            field,
            operator,
            values,
        })
    }

    fn operator(&mut self) -> Result<Operator, ConfigurationError> {
        let expected = |lexer: &Lexer<'_>| lexer.expected("one of = != > >= < <= like in");
        let Some(token) = self.lexer.peek()? else {
            return Err(expected(&self.lexer));
        };
        let operator = match token {
            Token::Symbol("=") => Operator::Equal,
            Token::Symbol("!=" | "<>") => Operator::NotEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Word(word) if word.eq_ignore_ascii_case("like") => Operator::Like,
            Token::Word(word) if word.eq_ignore_ascii_case("in") => Operator::In,
            _ => return Err(expected(&self.lexer)),
        };
        self.lexer.next()?;
        Ok(operator)
    }

    fn value(&mut self) -> Result<String, ConfigurationError> {
        let column = self.lexer.column()?;
        match self.lexer.next()? {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Err(wrong(
                column,
                "null is not supported; compare with '' instead",
            )),
            Some(Token::Word(text) | Token::Quoted(text)) => Ok(text),
            _ => Err(wrong(column, "a value is missing, as in name='value'")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, ConfigurationError> {
        if !self.lexer.take_symbol("(")? {
            return Err(self.lexer.expected("a list, as in name in ('a', 'b')"));
        }
        let mut values = vec![self.value()?];
        while self.lexer.take_symbol(",")? {
            values.push(self.value()?);
        }
        if self.lexer.take_symbol(")")? {
            Ok(values)
        } else {
            Err(self.lexer.expected(", or )"))
        }
    }
}

fn single(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests;
