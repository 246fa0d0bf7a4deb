//! Arguments, and a file for each command.

pub mod operator;
