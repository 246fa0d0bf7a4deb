//! Arguments, and a file for each command.
