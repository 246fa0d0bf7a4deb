//! Writing what became of the instance into its status.

use super::{Retry, Worker};
use crate::{
    api::{ConnectorInstance, ConnectorInstanceStatus},
    operator::{
        budget::Write,
        cache::{Group, InstanceItem},
        notices::{Notices, of_change},
        plan::Plan,
        status::{
            WriteError,
            conditions::{READY, status_of},
        },
        verdict,
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

    fn instance_status(
        &mut self,
        item: &InstanceItem,
        plan: &Plan,
    ) -> Option<ConnectorInstanceStatus> {
        let work = self.instance.as_mut()?;
        let now = self.shared.clock.now();
        let mut next = work.writer.status().clone();
        match (plan, work.running_mut()) {
            (Plan::Rest(standing), _) => standing.apply(&mut next.conditions, item.generation, now),
            (Plan::Run, None) => return None,
            (Plan::Run, Some(running)) => {
                let (state, answered) = (running.state(), running.has_answered());
                let known = next.observed_generation == Some(item.generation)
                    && status_of(&next.conditions, READY) == Some("True");
                if known && verdict::is_silent(&state, answered) {
                    return None;
                }
                let overdue = running.is_overdue(&state, item);
                let standing = verdict::of_instance(&state, answered, overdue);
                standing.apply(&mut next.conditions, item.generation, now);
                verdict::set_aspects(&state, &mut next.conditions, item.generation, now);
                next.deferred_until =
                    verdict::stored_deferral(next.deferred_until, state.deferred_until, now);
                next.last_handled_resume =
                    item.resume_delivery.clone().or(next.last_handled_resume);
            }
        }
        next.observed_generation = Some(item.generation);
        next.controller_name = Some(self.shared.owner.clone());
        Some(next)
    }
}
