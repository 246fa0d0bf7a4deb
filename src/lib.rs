//! Pollen.
