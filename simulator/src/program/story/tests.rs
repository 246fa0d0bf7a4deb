use super::*;

const LENGTH: Duration = Duration::from_secs(10);

fn story(seed: u64) -> Vec<Step> {
    let steps = steps(seed, Table::ALL.to_vec(), Some(LENGTH));
    steps.take_while(|step| step.at < LENGTH * 2).collect()
}

#[test]
fn a_seed_makes_one_storyline_and_another_seed_another() {
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
}

#[test]
fn steps_are_in_order_over_rounds() {
    assert!(story(1).is_sorted_by_key(|step| step.at));
}

#[test]
fn each_round_has_every_trouble_and_ends_it() {
    for seed in 0..20 {
        let (first, second): (Vec<_>, Vec<_>) =
            story(seed).into_iter().partition(|step| step.at < LENGTH);
        for round in [first, second] {
            let place = |act| round.iter().position(|step| step.act == act).unwrap();
            assert!(place(Act::CallbackFails) < place(Act::CallbackRecovers));
            let written = round
                .iter()
                .position(|step| matches!(step.act, Act::Write(_)));
            assert!(written.unwrap() < place(Act::Commit));
            let ties = round.iter().filter(|step| matches!(step.act, Act::Tie(..)));
            assert_eq!(ties.count(), 1);
        }
    }
}

#[test]
fn tables_that_nobody_polls_are_left_alone() {
    let mut steps = steps(1, vec![Table::Contact], None).take(200);
    assert!(steps.all(|step| !matches!(
        step.act,
        Act::Create(Table::Incident | Table::Company) | Act::Edit(Table::Incident | Table::Company)
    )));
}
