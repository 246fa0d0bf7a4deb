//! Pollen polls SaaS APIs for changed records and delivers each change, once, to a callback.
//!
//! The modules are floors, and nothing imports upward (`ARCHITECTURE.md`):
//! `cli` → `operator`, `local` → `fleet` → `poll` → `provider`, `callback`, `event` →
//! `template`, `catalog`, `api`, `network`, `secrets`, `category`, `clock`, `telemetry`.

pub mod api;
pub mod callback;
pub mod catalog;
pub mod category;
pub mod cli;
pub mod clock;
pub mod event;
pub mod fleet;
pub mod local;
pub mod network;
pub mod operator;
pub mod poll;
pub mod provider;
pub mod secrets;
pub mod telemetry;
pub mod template;
