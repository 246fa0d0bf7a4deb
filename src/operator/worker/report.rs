//! Writing what became of the instance into its status.

use std::net::IpAddr;

use reqwest::Url;

use super::{Retry, Worker, instance::Running};
use crate::{
    api::{ConnectorInstance, ConnectorInstanceStatus},
    operator::{
        budget::Write,
        cache::{Group, InstanceItem},
        notices::{Notice, Notices, of_change},
        plan::{self, Plan},
        status::{
            Refusal, WriteError,
            conditions::{READY, Standing, status_of},
            report_refused,
        },
        verdict::{self, Circumstances, Past},
    },
};

impl Worker {
    /// Writes the instance's status if it says anything new.
    pub(super) async fn report_instance(
        &mut self,
        group: &Group,
        plan: Option<&Plan>,
    ) -> Result<(), Retry> {
        let (Some(item), Some(plan)) = (&group.instance, plan) else {
            return Ok(());
        };
        let Some(next) = self.instance_status(item, plan) else {
            return Ok(());
        };
        let Some(work) = &mut self.instance else {
            return Ok(());
        };
        let notices = of_change(&work.writer.status().conditions, &next.conditions);
        match work.writer.write(next, Write::Condition).await {
            Ok(()) => {}
            Err(WriteError::Refused(refusal)) => {
                return Err(self.report_refusal(item, refusal).await);
            }
            Err(WriteError::Lost(why)) => {
                // Whoever has written since is read before anything else is written.
                self.stop_pollers().await;
                self.instance = None;
                return Err(Retry(format!(
                    "the status of ConnectorInstance {}: {why}",
                    item.key
                )));
            }
            Err(error) => {
                return Err(Retry(format!(
                    "the status of ConnectorInstance {}: {error}",
                    item.key
                )));
            }
        }
        let subject = Notices::about::<ConnectorInstance, _>(item);
        for notice in notices {
            self.shared.notices.publish(subject.clone(), notice);
        }
        Ok(())
    }

    /// Says why the server refuses the status, as far as it lets that be said.
    async fn report_refusal(&self, item: &InstanceItem, refusal: Refusal) -> Retry {
        let retry = Retry(format!(
            "the status of ConnectorInstance {}: {}",
            item.key, refusal.message
        ));
        let standing = Standing::stalled(refusal.reason, refusal.message.as_str());
        let (shared, now) = (&self.shared, self.shared.clock.now());
        let told = report_refused::<ConnectorInstance, _>(
            &shared.client,
            &shared.budget,
            item,
            &standing,
            None,
            now,
        );
        match told.await {
            Ok(true) => {
                let notice = Notice::warning(refusal.reason, refusal.message);
                let subject = Notices::about::<ConnectorInstance, _>(item);
                shared.notices.publish(subject, notice);
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(instance = %item.key, %error, "the conditions are not written");
            }
        }
        retry
    }

    fn instance_status(
        &mut self,
        item: &InstanceItem,
        plan: &Plan,
    ) -> Option<ConnectorInstanceStatus> {
        let work = self.instance.as_mut()?;
        let now = self.shared.clock.now();
        let mut next = work.writer.status().clone();
        match (plan, work.running_mut()) {
            (Plan::Rest(standing), _) => {
                standing.apply(&mut next.conditions, item.generation, now);
                // Whatever it waits for, changes since its creation are told once it runs.
                next.events_enabled_at = plan::events_enabled_at(item, &next, now);
            }
            (Plan::Run, None) => return None,
            (Plan::Run, Some(running)) => {
                let (state, answered) = (running.state(), running.has_answered());
                let known = next.observed_generation == Some(item.generation)
                    && status_of(&next.conditions, READY) == Some("True");
                if known && verdict::is_silent(&state, answered) {
                    return None;
                }
                let past = Past {
                    has_answered: answered,
                    is_overdue: running.is_overdue(&state, item),
                    has_accepted: verdict::has_accepted(&next.conditions, item.generation),
                };
                let standing = verdict::of_instance(&state, past);
                standing.apply(&mut next.conditions, item.generation, now);
                let known = circumstances(running, item);
                verdict::set_aspects(&state, &known, &mut next.conditions, item.generation, now);
                next.deferred_until =
                    verdict::stored_deferral(next.deferred_until, state.deferred_until, now);
                next.held_callback =
                    verdict::stored_hold(next.held_callback, running.instance.held_callback(), now);
                let digest = running.instance.callback_digest();
                next.gone_callback = digest.filter(|_| state.callback_gone).map(str::to_owned);
                next.last_handled_resume =
                    item.resume_delivery.clone().or(next.last_handled_resume);
            }
        }
        next.observed_generation = Some(item.generation);
        next.controller_name = Some(self.shared.owner.clone());
        Some(next)
    }
}

fn circumstances(running: &Running, item: &InstanceItem) -> Circumstances {
    let events = item.spec.events.as_ref();
    let callback = events.and_then(|events| events.callback.as_ref());
    let letters = callback.and_then(|callback| callback.dead_letter.as_ref());
    Circumstances {
        reauthorization_due: running.instance.reauthorization_due(),
        doubts: running.instance.doubts().to_vec(),
        plain_dead_letters: letters.is_some_and(|letters| is_readable(&letters.url)),
        plain_callback: callback.is_some_and(|callback| callback.url.starts_with("http://")),
    }
}

/// Whether what is posted there can be read on the way: plain http, and not to this machine.
fn is_readable(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.is_loopback();
    url.scheme() == "http" && host != "localhost" && !host.parse().is_ok_and(is_loopback)
}
