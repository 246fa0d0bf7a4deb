//! How long a provider is believed that says more follows, and shows nothing.

/// Pages in a row without anything new, where no total stands for more of them.
///
/// Access rules and filters behind the limit empty pages of honest providers: a ServiceNow account
/// that may read one record in very many gets hundreds of empty pages with a next link, and where a
/// proxy takes `X-Total-Count` off, nothing says how many. A thousand of its pages are a million
/// records by default. A provider that never ends costs some minutes of requests in each poll.
const MOST_IN_VAIN: u32 = 1_000;

/// Questions with one bound. The largest tables that can be polled have far fewer pages: a window
/// holds a million versions.
const MOST_QUESTIONS: u32 = 100_000;

/// Rows by which a total may be off because records come meanwhile, in pages.
const LENIENCE: u64 = 10;

/// Pages that showed nothing new although more was said to follow, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Promise {
    pages: u32,
    /// Rows that there were by the total when the first of them came. What a total grows by since
    /// then is not waited for.
    rows: u64,
    /// Rows that the pages stood for.
    passed: u64,
}

impl Promise {
    /// A page that stood for so many rows showed something new, or nothing: why no further one is
    /// asked for.
    pub(super) fn judge(&mut self, is_new: bool, total: Option<u64>, rows: u64) -> Option<String> {
        if is_new {
            *self = Self::default();
            return None;
        }
        if self.pages == 0 {
            self.rows = total.unwrap_or_default();
        }
        self.pages = self.pages.saturating_add(1);
        self.passed = self.passed.saturating_add(rows);
        // Twice, since records come while it is read.
        let is_kept = self.pages < MOST_IN_VAIN || self.passed / 2 < self.rows;
        (!is_kept).then(in_vain)
    }
}

/// Without the figures of this poll: a condition that read otherwise at every poll would be written so.
fn in_vain() -> String {
    format!(
        "the provider says that more records follow, but at least {MOST_IN_VAIN} pages in a row showed none, or only those \
         of pages before: raise spec.pageSize, or ask for fewer records in spec.url; where access rules hide records, give the \
         account the right to read them"
    )
}

const CONTRADICTED: &str = "the provider says that more records follow, shows none, and counts more of them in parts of a stretch of dates than \
     in all of it: it ignores the upper bound of the updated date, or counts wrongly; give the account the right to read \
     the records, or ask for others in spec.url";

/// Ranges of dates that are crossed without a row to be seen, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hidden {
    /// Rows that there were by the total when the first of them was.
    rows: Option<u64>,
    /// Rows in those crossed, by their totals.
    crossed: u64,
}

impl Hidden {
    /// All rows from here on are said to be so many, and none is shown: why the range is not
    /// halved. More rows were crossed than there are where the provider ignores the upper bound.
    pub(super) fn judge(&mut self, total: u64, page: u32) -> Option<String> {
        let rows = *self.rows.get_or_insert(total);
        let lenience = LENIENCE * u64::from(page);
        (self.crossed / 2 > rows.saturating_add(lenience)).then(|| CONTRADICTED.to_owned())
    }

    pub(super) const fn cross(&mut self, rows: u64) {
        self.crossed = self.crossed.saturating_add(rows);
    }
}

/// The questions asked with one bound.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    bound: String,
    questions: u32,
}

impl Patience {
    /// One was answered: why no further one is asked.
    pub(super) fn judge(&mut self, bound: &str) -> Option<String> {
        if self.bound != bound {
            self.bound = bound.to_owned();
            self.questions = 0;
        }
        self.questions += 1;
        (self.questions >= MOST_QUESTIONS).then(|| {
            format!(
                "the provider says that more records follow behind {MOST_QUESTIONS} pages from {bound} on: raise spec.pageSize, \
                 or ask for fewer records in spec.url"
            )
        })
    }
}
