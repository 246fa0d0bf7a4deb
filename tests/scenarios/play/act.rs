//! What happens at the provider, at the callback and in the manifests.

use chrono::TimeDelta;
use simulator::servicenow::Links;

use super::world::{World, lock};
use crate::format::{Creation, FieldRule, LinkForm, ProviderChange, Step, Update};

/// Where nothing else is said.
const TABLE: &str = "incident";

impl World {
    /// Does what a step says. Time passes, polls are run and manifests are annotated elsewhere.
    pub(super) fn act(&self, step: &Step) {
        match step {
            Step::Wait(_) | Step::Poll(_) | Step::Arrived(_) | Step::Annotate(_) => {}
            Step::Create(creation) => self.create(&creation.0),
            Step::Update(update) => self.update(&update.0),
            Step::Delete(names) => self.each(&names.0, |id| self.instance.delete(id)),
            Step::Restore(names) => self.each(&names.0, |id| self.instance.restore(id)),
            Step::Hide(names) => self.each(&names.0, |id| self.instance.hide(id)),
            Step::Show(names) => self.each(&names.0, |id| self.instance.show(id)),
            Step::HideField(FieldRule { records, field }) => {
                self.each(&records.0, |id| self.instance.hide_field(id, field));
            }
            Step::Provider(change) => self.change_provider(change),
            Step::Clock(shift) => self.instance.shift(shift.0),
            Step::Callback(change) => *lock(&self.callback) = Some(change.clone()),
            Step::DeadLetters(change) => *lock(&self.dead_letters) = Some(change.clone()),
            Step::Edit(edit) => self.edit(edit.poller.as_deref(), &edit.spec),
        }
    }

    fn each(&self, names: &[String], act: impl Fn(&str)) {
        names.iter().for_each(|name| act(&self.id(name)));
    }

    fn create(&self, creation: &Creation) {
        let table = creation.table.as_deref().unwrap_or(TABLE);
        let now = self.instance.now();
        let mut later = TimeDelta::zero();
        for name in &creation.records.0 {
            if let Some(id) = &creation.id {
                lock(&self.names).insert(id.clone(), name.clone());
            }
            let id = self.id(name);
            let date = |moment: &crate::format::Moment| moment.text(now, later);
            let (updated, created) = (
                creation.updated.as_ref().map(date),
                creation.created.as_ref().map(date),
            );
            let mut fields = vec![("sys_id", id.as_str())];
            fields.extend(updated.as_deref().map(|date| ("sys_updated_on", date)));
            fields.extend(created.as_deref().map(|date| ("sys_created_on", date)));
            fields.extend(
                creation
                    .set
                    .iter()
                    .map(|(field, value)| (&**field, &**value)),
            );
            self.instance.create(table, &fields);
            later += creation.apart.map_or_else(TimeDelta::zero, |apart| apart.0);
        }
    }

    fn update(&self, update: &Update) {
        let now = self.instance.now();
        let updated = update.updated.as_ref();
        let updated = updated.map(|moment| moment.text(now, TimeDelta::zero()));
        let mut fields = Vec::new();
        fields.extend(updated.as_deref().map(|date| ("sys_updated_on", date)));
        fields.extend(update.set.iter().map(|(field, value)| (&**field, &**value)));
        self.each(&update.records.0, |id| self.instance.update(id, &fields));
    }

    fn change_provider(&self, change: &ProviderChange) {
        if let Some(answers) = &change.answers {
            self.instance.fail_always(answers.fault());
        }
        self.instance.configure(|settings| {
            set(&mut settings.ignores_filter, change.ignores_filter);
            set(&mut settings.ignores_order, change.ignores_order);
            set(
                &mut settings.literal_offset_seconds,
                change.literal_offset_seconds,
            );
            set(&mut settings.sends_total, change.sends_total);
            set(&mut settings.sends_link, change.sends_link);
            set(&mut settings.links, change.links.map(Links::from));
            set(
                &mut settings.encodes_commas_in_links,
                change.encodes_commas_in_links,
            );
            set(&mut settings.numeric_ids, change.numeric_ids);
            set(&mut settings.max_limit, change.max_page);
            set(
                &mut settings.withheld_tables,
                change.withholds_tables.clone(),
            );
        });
    }
}

impl From<LinkForm> for Links {
    fn from(form: LinkForm) -> Self {
        match form {
            LinkForm::Absolute => Self::Absolute,
            LinkForm::Relative => Self::Relative,
            LinkForm::Circular => Self::Circular,
        }
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}
