use super::*;
use crate::{category::Category, provider::auth::fixtures::MemoryStore};

const MINUTE: Duration = Duration::from_secs(60);

/// A user and password, and what outlasts the processes that send them.
struct World {
    store: Arc<MemoryStore>,
    clock: Clock,
}

impl World {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new(None)),
            clock: Clock::starting_at("2024-01-01T00:00:00Z".parse().unwrap()),
        }
    }

    /// A process that has this password.
    fn start_with(&self, password: &str) -> Arc<Lockout> {
        let store: Arc<MemoryStore> = Arc::clone(&self.store);
        let url = "https://provider.example/".parse().unwrap();
        let sent = vec!["ann".into(), password.into()];
        Lockout::new(store, Turn::default(), self.clock, &url, "login", sent)
    }

    fn start(&self) -> Arc<Lockout> {
        self.start_with("passw0rd-s3cr3t")
    }

    fn is_left_alone(&self) -> bool {
        self.store.tried_as_written().is_some()
    }
}

fn refused() -> Verdict {
    Verdict::Refused("401 Unauthorized".to_owned())
}

async fn begin(lockout: &Arc<Lockout>) -> Trial {
    lockout.begin().await.ok().unwrap()
}

async fn error(lockout: &Arc<Lockout>) -> FetchError {
    lockout.begin().await.err().unwrap()
}

#[tokio::test(start_paused = true)]
async fn that_a_password_goes_out_is_recorded_before_and_taken_away_when_it_is_accepted() {
    let world = World::new();
    let lockout = world.start();
    let trial = begin(&lockout).await;
    let written = world.store.tried_as_written().unwrap();
    assert!(!written.contains("s3cr3t") && !written.contains("ann"));
    trial.end(Verdict::Accepted).await;
    assert!(!world.is_left_alone());
    let noted = world.store.noted.load(Ordering::SeqCst);
    for _ in 0..9 {
        begin(&lockout).await.end(Verdict::Accepted).await;
    }
    assert_eq!(world.store.noted.load(Ordering::SeqCst), noted);
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_sending_and_answer_counts_as_a_try() {
    let world = World::new();
    for pause in [15, 30, 60, 120, 240, 240] {
        // What a dead process has in hand is never dropped.
        std::mem::forget(begin(&world.start()).await);
        let error = error(&world.start()).await;
        assert_eq!(error.retry_after, Some(pause * MINUTE));
        assert_eq!(error.category, Category::Authentication);
        assert!(
            error
                .message
                .starts_with("no answer came from provider.example"),
            "{error}"
        );
        tokio::time::advance(pause * MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_says_why_what_to_do_and_when_it_goes_on_after_a_restart_too() {
    let world = World::new();
    begin(&world.start()).await.end(refused()).await;
    let message = "provider.example refused the user or password (401 Unauthorized): check username and password \
                   in Secret \"login\", and that the user is active and not locked out; so that nobody is, they are \
                   sent again at once when the Secret changes, else at 2024-01-01T00:15:00Z, or when a poll is \
                   requested, at 2024-01-01T00:03:45Z at the earliest";
    assert_eq!(error(&world.start()).await.message, message);
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_first_and_no_sooner_than_a_quarter_of_the_pause() {
    let world = World::new();
    begin(&world.start()).await.end(refused()).await;
    let lockout = world.start();
    lockout.ask();
    let error = error(&lockout).await;
    assert_eq!(error.retry_after, Some(MINUTE * 15 / 4));
    assert!(
        error
            .message
            .ends_with("else at 2024-01-01T00:03:45Z, since a poll is requested"),
        "{error}"
    );
    tokio::time::advance(MINUTE * 15 / 4).await;
    begin(&lockout).await.end(refused()).await;
    let pause = lockout.pause().await.unwrap().retry_after;
    assert_eq!(pause, Some(30 * MINUTE), "a request counts once");
}

/// As on a schedule, while all is well.
#[tokio::test(start_paused = true)]
async fn a_request_for_a_password_that_is_accepted_shortens_no_pause_to_come() {
    let world = World::new();
    let lockout = world.start();
    let trial = begin(&lockout).await;
    lockout.ask();
    trial.end(Verdict::Accepted).await;
    lockout.ask();
    begin(&lockout).await.end(refused()).await;
    assert_eq!(error(&lockout).await.retry_after, Some(15 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn another_password_is_sent_at_once() {
    let world = World::new();
    begin(&world.start()).await.end(refused()).await;
    begin(&world.start_with("another"))
        .await
        .end(Verdict::Accepted)
        .await;
    assert!(!world.is_left_alone());
}

/// Two are under way where the Secret changes meanwhile.
#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_password_leaves_the_record_of_another_alone() {
    let world = World::new();
    let before = begin(&world.start()).await;
    let present = begin(&world.start_with("another")).await;
    before.end(Verdict::Accepted).await;
    assert!(world.is_left_alone());
    present.end(refused()).await;
    error(&world.start_with("another")).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_cannot_be_recorded() {
    let world = World::new();
    let lockout = world.start();
    let full = TokenStoreError::Unavailable("disk full".to_owned());
    world.store.fail(Some(full));
    let error = error(&lockout).await;
    assert_eq!(error.category, Category::Internal);
    assert!(
        error
            .message
            .contains("the password is not sent to provider.example"),
        "{error}"
    );
    world.store.fail(None);
    begin(&lockout).await.end(Verdict::Accepted).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_could_not_be_taken_away_is_taken_away_later() {
    let world = World::new();
    let lockout = world.start();
    let trial = begin(&lockout).await;
    world.store.fail(Some(TokenStoreError::Busy));
    trial.end(Verdict::Accepted).await;
    world.store.fail(None);
    assert!(world.is_left_alone());
    tokio::time::sleep(2 * AGAIN).await;
    assert!(!world.is_left_alone());
}

/// The service was down, or busy, or not there.
#[tokio::test(start_paused = true)]
async fn what_nobody_looked_at_is_no_try() {
    let world = World::new();
    let lockout = world.start();
    for _ in 0..9 {
        begin(&lockout).await.end(Verdict::Unlooked).await;
        assert!(!world.is_left_alone());
    }
    std::mem::forget(begin(&lockout).await);
    error(&world.start()).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_lengthen_no_pause_and_are_not_asked_for_all_the_time() {
    let world = World::new();
    let lockout = world.start();
    for _ in 0..9 {
        begin(&lockout).await.end(Verdict::Unanswered).await;
        assert_eq!(error(&lockout).await.retry_after, Some(5 * MINUTE));
        tokio::time::advance(5 * MINUTE).await;
    }
    begin(&lockout).await.end(refused()).await;
    assert_eq!(error(&lockout).await.retry_after, Some(15 * MINUTE));
}

/// Some providers answer 403 and 404 before they look at the password.
#[tokio::test(start_paused = true)]
async fn answers_that_say_nothing_are_neither_acceptance_nor_refusal_and_cost_no_writes() {
    let world = World::new();
    let lockout = world.start();
    begin(&lockout).await.end(Verdict::Open).await;
    let noted = world.store.noted.load(Ordering::SeqCst);
    for _ in 0..9 {
        begin(&lockout).await.end(Verdict::Open).await;
    }
    assert_eq!(world.store.noted.load(Ordering::SeqCst), noted);
    assert!(!world.is_left_alone());
    begin(&lockout).await.end(refused()).await;
    error(&world.start()).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_accepted_is_refused_once_by_all_the_answers_on_their_way() {
    let world = World::new();
    let lockout = world.start();
    begin(&lockout).await.end(Verdict::Accepted).await;
    let trials = [begin(&lockout).await, begin(&lockout).await];
    for trial in trials {
        trial.end(refused()).await;
    }
    assert_eq!(error(&lockout).await.retry_after, Some(15 * MINUTE));
    assert_eq!(error(&world.start()).await.retry_after, Some(15 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn one_request_shows_whether_a_password_is_right_before_others_go_out() {
    let world = World::new();
    let lockout = world.start();
    let trial = begin(&lockout).await;
    let behind = tokio::spawn({
        let lockout = Arc::clone(&lockout);
        async move { lockout.begin().await.err() }
    });
    tokio::task::yield_now().await;
    assert!(!behind.is_finished());
    trial.end(refused()).await;
    assert!(behind.await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_leaves_the_password_alone_for_a_while() {
    let world = World::new();
    let lockout = world.start();
    drop(begin(&lockout).await);
    assert_eq!(error(&lockout).await.retry_after, Some(5 * MINUTE));
}

/// Nothing was sent.
#[tokio::test(start_paused = true)]
async fn whoever_is_dropped_while_a_password_is_being_recorded_leaves_no_record() {
    let world = World::new();
    let lockout = world.start();
    world.store.pause();
    let dropped = tokio::time::timeout(MINUTE, lockout.begin()).await;
    assert!(dropped.is_err());
    world.store.resume();
    lockout.rest().await;
    assert!(!world.is_left_alone());
    begin(&lockout).await.end(Verdict::Accepted).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_what_became_of_a_password_is_stored_again() {
    let world = World::new();
    let lockout = world.start();
    let trial = begin(&lockout).await;
    world.store.fail(Some(TokenStoreError::Busy));
    trial.end(Verdict::Unlooked).await;
    world.store.fail(None);
    world.store.pause();
    tokio::time::sleep(2 * AGAIN).await;
    assert!(lockout.known.try_lock().is_err());
    world.store.resume();
    let trial = begin(&lockout).await;
    assert!(world.is_left_alone());
    trial.end(Verdict::Accepted).await;
    assert!(!world.is_left_alone());
}
