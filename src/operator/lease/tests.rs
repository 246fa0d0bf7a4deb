use super::*;
use crate::operator::fake_api::{FakeApi, Fault};

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/pollen/leases/pollen";
const DURATION: Duration = Duration::from_secs(15);

fn member(api: &FakeApi, identity: &str) -> Membership {
    Membership {
        leases: Api::namespaced(api.client(), "pollen"),
        name: "pollen".into(),
        identity: identity.into(),
        duration: DURATION,
        clock: Clock::starting_at(DateTime::UNIX_EPOCH),
        leads: watch::Sender::new(false),
    }
}

fn run(
    member: Membership,
) -> (
    watch::Receiver<bool>,
    CancellationToken,
    tokio::task::JoinHandle<Membership>,
) {
    let (leads, stop) = (member.leads(), CancellationToken::new());
    let task = tokio::spawn({
        let stop = stop.clone();
        async move {
            member.take_part(&stop).await;
            member
        }
    });
    (leads, stop, task)
}

#[tokio::test(start_paused = true)]
async fn one_of_two_replicas_leads_and_a_release_lets_the_other_begin_before_expiry() {
    let api = FakeApi::default();
    let (mut first, stop, task) = run(member(&api, "first"));
    first.wait_for(|leads| *leads).await.unwrap();
    let (mut second, ..) = run(member(&api, "second"));
    tokio::time::sleep(4 * DURATION).await;
    assert!(*first.borrow() && !*second.borrow());

    stop.cancel();
    task.await.unwrap().release().await;
    let released = Instant::now();
    second.wait_for(|leads| *leads).await.unwrap();
    assert!(
        released.elapsed() < DURATION / 3,
        "{:?}",
        released.elapsed()
    );
    assert_eq!(api.object(PATH)["spec"]["leaseTransitions"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_before_its_claim_runs_out() {
    let api = FakeApi::default();
    let (mut leads, ..) = run(member(&api, "first"));
    leads.wait_for(|leads| *leads).await.unwrap();
    for _ in 0..20 {
        api.fail_next(Fault::Refused(403, "forbidden".into()));
    }
    let renewed = Instant::now();
    leads.wait_for(|leads| !*leads).await.unwrap();
    let stopped = renewed.elapsed();
    assert!(
        stopped >= DURATION / 2 && stopped <= DURATION * 2 / 3,
        "{stopped:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_vanished_is_followed_when_its_claim_has_run_out() {
    let api = FakeApi::default();
    let (mut first, _stop, task) = run(member(&api, "first"));
    first.wait_for(|leads| *leads).await.unwrap();
    task.abort();
    let gone = Instant::now();
    let (mut second, ..) = run(member(&api, "second"));
    second.wait_for(|leads| *leads).await.unwrap();
    let waited = gone.elapsed();
    assert!(
        waited >= DURATION && waited < DURATION * 4 / 3,
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_an_answer_does_not_hold_up_the_end() {
    let api = FakeApi::default();
    let (mut leads, stop, task) = run(member(&api, "first"));
    leads.wait_for(|leads| *leads).await.unwrap();
    api.fail_next(Fault::Silent);
    tokio::time::sleep(DURATION / 6 + Duration::from_millis(10)).await;
    let stopped = Instant::now();
    stop.cancel();
    task.await.unwrap();
    assert!(
        stopped.elapsed() < Duration::from_millis(100),
        "{:?}",
        stopped.elapsed()
    );
}
