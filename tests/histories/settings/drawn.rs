//! Settings, drawn from a seed.

use pollen::{api::CreatedCheck, template::Unit};

use super::{Comparing, Deletes, Listing, Order, Part, Settings};
use crate::random::Random;

impl Settings {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let (field, stated) = units(random);
        let listing = listing(random, field, stated);
        let unit = field.max(stated).duration().num_milliseconds();
        let reach = unit.max(random.pick(&[1, 5_000, 30_000, 300_000, 7_200_000]));
        let mut settings = Self {
            field,
            stated,
            listing,
            strict: random.percent(25),
            ignores_filter: random.percent(8),
            tells_total: random.percent(80),
            cap: random.percent(10).then(|| random.between(2, 8)),
            page_size: match random.below(4) {
                0 => random.between(2, 100),
                _ => random.between(2, 9),
            },
            records: random.between(3, 60),
            numeric_ids: random.percent(30),
            tells_time: random.percent(85),
            skew: random.pick(&[0, 0, -86_400_000, -7_000, 3_333, 90_000, 5_000_000]),
            reach,
            narrow_reach: reach,
            interval: random.pick(&[unit / 7 + 1, unit + 13, 3 * unit + 400, 60_000, 900_000]),
            latency: random.pick(&[0, 0, 1, 90, 700, 2_500]),
            in_flight: random.between(1, 4),
            max_events: random.between(1, 10),
            created_check: random.pick(&[
                CreatedCheck::Watermark,
                CreatedCheck::Watermark,
                CreatedCheck::OpenConnectors,
            ]),
            tolerance: random.pick(&[0, 0, 5_000]),
            drop_before_bound: random.percent(85),
            drop_after_clock: random.percent(15),
            versioned: random.percent(75),
            excludes: random.percent(20),
            hides: random.percent(25),
            deletes: deletes(random),
            deletes_from_start: random.percent(70),
            part: Part::Alone,
            remembers_gone: false,
        };
        if random.percent(25) {
            settings.narrow_reach = unit.max(reach / 3);
        }
        settings.made_consistent()
    }
}

fn deletes(random: &mut Random) -> Deletes {
    let comparing = Comparing {
        by_key: random.percent(60),
        by_id: random.percent(60),
        max_share_percent: random.pick(&[0, 10, 50, 100]),
    };
    random.pick(&[
        Deletes::Ignored,
        Deletes::Listed,
        Deletes::Compared(comparing),
    ])
}

fn units(random: &mut Random) -> (Unit, Unit) {
    let any = [
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Seconds,
        Unit::Minutes,
        Unit::Days,
    ];
    let field = random.pick(&any);
    let stated = if random.percent(70) {
        field
    } else {
        random.pick(&any)
    };
    (field, stated)
}

fn listing(random: &mut Random, field: Unit, stated: Unit) -> Listing {
    // Pages are anchored only where the bound is stated as finely as dates are stored.
    if random.percent(60) && stated <= field {
        return Listing::Anchored {
            by_key: random.percent(60),
            by_offset: random.percent(60),
            bisectable: random.percent(60),
            reverses_ties: random.percent(15),
        };
    }
    Listing::Unordered {
        order: random.pick(&[Order::Key, Order::OldestFirst, Order::NewestFirst]),
        links: random.percent(50),
    }
}
