use super::*;

fn budget(per_second: u32) -> WriteBudget {
    let budget = WriteBudget::new(NonZeroU32::new(per_second).unwrap(), Metrics::default());
    tokio::spawn(budget.clone().dispense());
    budget
}

#[tokio::test(start_paused = true)]
async fn writes_beyond_one_second_s_worth_wait_for_the_rate() {
    let budget = budget(10);
    let start = Instant::now();
    for _ in 0..30 {
        budget.acquire(Write::Checkpoint).await;
    }
    let took = start.elapsed();
    assert!(
        took >= Duration::from_millis(1_950) && took < Duration::from_millis(2_200),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_s_mark_goes_before_checkpoints_that_waited_longer() {
    let budget = budget(1);
    budget.acquire(Write::Event).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for write in [
        Write::Event,
        Write::Condition,
        Write::Checkpoint,
        Write::Token,
    ] {
        let (budget, order) = (budget.clone(), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            budget.acquire(write).await;
            order.lock().unwrap().push(write);
        }));
        tokio::task::yield_now().await;
    }
    for task in waiting {
        task.await.unwrap();
    }
    let order = order.lock().unwrap().clone();
    assert_eq!(
        order,
        [
            Write::Token,
            Write::Checkpoint,
            Write::Condition,
            Write::Event
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_can_wait_learns_that_the_budget_is_spent() {
    let budget = budget(2);
    assert!(budget.try_acquire(Write::Checkpoint));
    assert!(budget.try_acquire(Write::Checkpoint));
    assert!(!budget.try_acquire(Write::Checkpoint));
    tokio::time::advance(Duration::from_millis(500)).await;
    assert!(budget.try_acquire(Write::Checkpoint));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gave_up_costs_nothing() {
    let budget = budget(1);
    budget.acquire(Write::Event).await;
    let given_up = tokio::spawn({
        let budget = budget.clone();
        async move { budget.acquire(Write::Token).await }
    });
    tokio::task::yield_now().await;
    given_up.abort();
    let start = Instant::now();
    budget.acquire(Write::Event).await;
    assert!(
        start.elapsed() < Duration::from_millis(1_100),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lifted_budget_holds_no_checkpoint_back_and_goes_on_to_hold_events() {
    let budget = budget(1);
    budget.acquire(Write::Event).await;
    let start = Instant::now();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let budget = budget.clone();
            tokio::spawn(async move { budget.acquire(Write::Checkpoint).await })
        })
        .collect();
    tokio::task::yield_now().await;
    budget.lift();
    for task in waiting {
        task.await.unwrap();
    }
    assert!(budget.try_acquire(Write::Checkpoint));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!budget.try_acquire(Write::Event));
}
