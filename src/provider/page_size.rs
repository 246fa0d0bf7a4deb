//! How many records a page asks for, after what the provider could bear.

use std::sync::atomic::{AtomicU32, Ordering};

/// Pages read before a larger one is tried again.
const PATIENCE: u32 = 20;

/// A page size that halves where a page was too much and grows back slowly.
#[derive(Debug)]
pub(super) struct PageSize {
    configured: u32,
    current: AtomicU32,
    read: AtomicU32,
}

impl PageSize {
    pub(super) fn new(configured: u32) -> Self {
        let configured = configured.max(1);
        Self {
            configured,
            current: AtomicU32::new(configured),
            read: AtomicU32::new(0),
        }
    }

    pub(super) fn get(&self) -> u32 {
        self.current.load(Ordering::Relaxed)
    }

    /// Halves the size at which a page of `asked` records failed; false where it was one record.
    pub(super) fn shrink(&self, asked: u32) -> bool {
        self.read.store(0, Ordering::Relaxed);
        if asked <= 1 {
            return false;
        }
        self.current.fetch_min(asked / 2, Ordering::Relaxed);
        true
    }

    /// A page was read whole.
    pub(super) fn page_was_read(&self) {
        let current = self.get();
        if current < self.configured && self.read.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            self.read.store(0, Ordering::Relaxed);
            self.current.store(
                current.saturating_mul(2).min(self.configured),
                Ordering::Relaxed,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_halves_down_to_one_and_grows_back_after_pages_that_were_read() {
        let size = PageSize::new(5);
        assert!(size.shrink(5));
        assert_eq!(size.get(), 2);
        assert!(size.shrink(2));
        assert!(!size.shrink(1), "one record is the end");
        for _ in 0..PATIENCE {
            assert_eq!(size.get(), 1);
            size.page_was_read();
        }
        assert_eq!(size.get(), 2);
        (0..3 * PATIENCE).for_each(|_| size.page_was_read());
        assert_eq!(size.get(), 5);
    }

    #[test]
    fn two_failures_of_one_size_halve_once() {
        let size = PageSize::new(100);
        size.shrink(100);
        size.shrink(100);
        assert_eq!(size.get(), 50);
    }
}
