//! Pollen.

pub mod template;
