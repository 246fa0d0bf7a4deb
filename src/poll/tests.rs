//! The engine against a provider, a callback and a store in memory.

mod backlog;
mod changes;
mod checkpoints;
mod children;
mod contents;
mod crashes;
mod deletions;
mod delivery;
mod edited;
mod explained;
mod logged;
mod moving;
mod offsets;
mod paging;
mod reconcile;
mod refused;
mod replay;
mod segments;
mod withheld;
mod world;
