//! The ids known, as a checkpoint keeps them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{
    api::{IdList, IdSegment, MissingIds, Reconcile},
    event::Kind,
    poll::{
        CheckpointStore, Reconciliation, Segment,
        change::Change,
        ids::{DamagedIds, Ids},
        segment::{Holds, LoadError},
        unusable::Unusable,
    },
};

/// Bytes of ids that the checkpoint holds itself.
const INLINE: usize = 4 * 1024;

/// The part of a checkpoint that comparisons go by, at work.
pub(in crate::poll) struct Known {
    part: Option<Reconcile>,
    /// Ids settled since the last comparison that are in no segment yet.
    recent: BTreeSet<String>,
    /// Of the missing ids, those settled out of their order.
    done: BTreeSet<String>,
    /// Segments that the store may lack.
    fresh: Vec<Segment>,
    /// Where ids are listed, if comparisons are made at all.
    place: Option<String>,
}

/// What a comparison leaves to be stored.
pub(in crate::poll) struct Compared {
    pub(in crate::poll) known: Ids,
    pub(in crate::poll) since: Ids,
    pub(in crate::poll) gone: Ids,
    /// The gone are too many to be believed.
    pub(in crate::poll) is_held: bool,
    /// They are among those that were held before, so that what confirms these stays as it was.
    pub(in crate::poll) is_of_held: bool,
}

/// Why ids of a checkpoint were not read.
#[derive(Debug, thiserror::Error)]
pub(in crate::poll) enum UnreadIds {
    #[error(transparent)]
    Damaged(#[from] DamagedIds),
    #[error(transparent)]
    Segment(#[from] LoadError),
}

impl Known {
    /// Takes up what is stored; what of it is no longer gone by is dropped. `fresh` are segments
    /// that an earlier poll of this process could not store.
    pub(in crate::poll) fn resume(
        stored: Option<&Reconcile>,
        plan: Option<&Reconciliation>,
        fresh: Vec<Segment>,
    ) -> Result<Self, Unusable> {
        let is_here = |part: &&Reconcile| plan.is_some_and(|plan| plan.place == part.place);
        let part = stored.filter(is_here).cloned();
        let recent = part.as_ref().map(|part| inline(&part.since));
        let missing = part.as_ref().and_then(|part| part.missing.as_ref());
        let done = missing.map(|missing| inline(&missing.done));
        let read = |ids: Option<Result<_, DamagedIds>>| {
            let ids = ids.transpose().map(Option::unwrap_or_default);
            ids.map_err(|damage| Unusable::Damaged(damage.to_string()))
        };
        Ok(Self {
            recent: read(recent)?,
            done: read(done)?,
            part,
            fresh,
            place: plan.map(|plan| plan.place.clone()),
        })
    }

    /// What is to be stored.
    pub(in crate::poll) fn stored(&self) -> Option<Reconcile> {
        let mut part = self.part.clone()?;
        part.since.count = sealed(&part.since).saturating_add(count(self.recent.len()));
        part.since.entries = entries(&self.recent);
        if let Some(missing) = &mut part.missing {
            missing.done = IdList {
                count: count(self.done.len()),
                entries: entries(&self.done),
                segments: Vec::new(),
            };
        }
        Some(part)
    }

    /// The segments that `stored` names and the store may lack.
    pub(in crate::poll) fn unstored(&self, stored: Option<&Reconcile>) -> Vec<Segment> {
        let named: BTreeSet<&str> = stored.into_iter().flat_map(Reconcile::segments).collect();
        let fresh = self.fresh.iter();
        fresh
            .filter(|segment| named.contains(segment.name().as_str()))
            .cloned()
            .collect()
    }

    /// What was to be stored is.
    pub(in crate::poll) fn note_stored(&mut self) {
        self.fresh.clear();
    }

    pub(in crate::poll) fn into_fresh(self) -> Vec<Segment> {
        self.fresh
    }

    /// A change is settled.
    pub(in crate::poll) fn settle(&mut self, change: &Change) {
        if change.kind == Kind::Deleted {
            self.recent.remove(&change.id);
            self.done.insert(change.id.clone());
        } else {
            self.note(&change.id);
        }
    }

    /// The receiver knows this id, also before the first comparison.
    pub(in crate::poll) fn note(&mut self, id: &str) {
        let Some(place) = &self.place else {
            return;
        };
        let part = self.part.get_or_insert_with(|| Reconcile {
            place: place.clone(),
            ..Reconcile::default()
        });
        if !part.too_many {
            self.recent.insert(id.to_owned());
        }
    }

    pub(in crate::poll) const fn part(&self) -> Option<&Reconcile> {
        self.part.as_ref()
    }

    /// When the last comparison was completed; `None` while one is due or running.
    pub(in crate::poll) fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.part.as_ref()?.completed_at
    }

    /// A comparison begins, or one that a crash interrupted begins anew under its own id.
    pub(in crate::poll) fn begin(&mut self, plan: &Reconciliation, now: DateTime<Utc>) {
        let part = self.part.get_or_insert_with(|| Reconcile {
            place: plan.place.clone(),
            ..Reconcile::default()
        });
        if part.id.is_empty() || part.completed_at.is_some() {
            part.id = format!("{:016x}", rand::random::<u64>());
            part.started_at = now;
            part.completed_at = None;
        }
    }

    /// Whether what a list shows beyond the known ids is no change: it is the first list, or the
    /// first one after an edit of what is asked.
    pub(in crate::poll) fn is_baseline(&self, fingerprint: &str) -> bool {
        self.part
            .as_ref()
            .is_none_or(|part| part.list_fingerprint != fingerprint)
    }

    /// Enters what a comparison showed.
    pub(in crate::poll) fn complete(
        &mut self,
        compared: Compared,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) {
        let Compared {
            known,
            since,
            gone,
            is_held,
            is_of_held,
        } = compared;
        let (known, ids) = (self.seal(&known), self.seal(&gone));
        self.done.clear();
        self.put_since(&since);
        let Some(part) = &mut self.part else { return };
        part.completed_at = Some(now);
        part.list_fingerprint = fingerprint.to_owned();
        part.too_many = false;
        part.known = known;
        let goes_on = |missing: &MissingIds| !missing.held || is_of_held;
        let (id, deleted_at) = match part.missing.take().filter(goes_on) {
            Some(missing) => (missing.id, missing.deleted_at),
            None => (part.id.clone(), part.started_at),
        };
        part.missing = (!gone.is_empty()).then_some(MissingIds {
            id,
            deleted_at,
            held: is_held,
            ids,
            settled: 0,
            done: IdList::default(),
        });
    }

    /// There are more ids than are kept: none is.
    pub(in crate::poll) fn refuse(&mut self, now: DateTime<Utc>) {
        self.recent.clear();
        self.done.clear();
        self.fresh.clear();
        if let Some(part) = &mut self.part {
            part.completed_at = Some(now);
            part.list_fingerprint.clear();
            part.too_many = true;
            (part.known, part.since, part.missing) = Default::default();
        }
    }

    /// The missing ids, unless a person must confirm them first.
    pub(in crate::poll) fn released(&self) -> Option<&MissingIds> {
        let missing = self.part.as_ref()?.missing.as_ref()?;
        (!missing.held).then_some(missing)
    }

    /// The missing ids that wait for a person.
    pub(in crate::poll) fn held(&self) -> Option<&MissingIds> {
        let missing = self.part.as_ref()?.missing.as_ref()?;
        missing.held.then_some(missing)
    }

    /// A person confirmed the deletions of the run `id`; answers whether they were held.
    pub(in crate::poll) fn release(&mut self, id: Option<&str>) -> bool {
        let missing = self.part.as_mut().and_then(|part| part.missing.as_mut());
        let Some(missing) =
            missing.filter(|missing| missing.held && Some(missing.id.as_str()) == id)
        else {
            return false;
        };
        missing.held = false;
        true
    }

    /// Whether the deletion of `id` was delivered before the others of its batch.
    pub(in crate::poll) fn is_done(&self, id: &str) -> bool {
        self.done.contains(id)
    }

    /// The first `settled` of the missing ids are settled.
    pub(in crate::poll) fn settle_missing(&mut self, settled: usize) {
        self.done.clear();
        if let Some(missing) = self.part.as_mut().and_then(|part| part.missing.as_mut()) {
            missing.settled = count(settled);
        }
    }

    /// Only these are missing still.
    pub(in crate::poll) fn replace_missing(&mut self, missing: &Ids) {
        let ids = self.seal(missing);
        let Some(part) = &mut self.part else { return };
        match &mut part.missing {
            Some(held) if !missing.is_empty() => held.ids = ids,
            stored => *stored = None,
        }
    }

    /// All ids known now, the missing ones among them whose deletions are still to be delivered.
    pub(in crate::poll) async fn all<K: CheckpointStore>(
        &self,
        store: &mut K,
    ) -> Result<Ids, UnreadIds> {
        let Some(part) = &self.part else {
            return Ok(Ids::default());
        };
        let mut all = self.load(&part.known, store).await?;
        if let Some(missing) = &part.missing {
            let ids = self.load(&missing.ids, store).await?;
            let settled = usize::try_from(missing.settled).unwrap_or(ids.len());
            let rest = ids.iter().skip(settled);
            all = all.and(&rest.filter(|id| !self.is_done(id)).collect());
        }
        Ok(all.and(&self.since(store).await?))
    }

    /// The ids settled since the last comparison.
    pub(in crate::poll) async fn since<K: CheckpointStore>(
        &self,
        store: &mut K,
    ) -> Result<Ids, UnreadIds> {
        let recent = self.recent.iter().map(String::as_str).collect();
        let Some(part) = &self.part else {
            return Ok(recent);
        };
        let sealed = IdList {
            entries: String::new(),
            ..part.since.clone()
        };
        Ok(self.load(&sealed, store).await?.and(&recent))
    }

    /// Moves the ids settled since into a segment, where they are too many for the checkpoint.
    pub(in crate::poll) async fn make_room<K: CheckpointStore>(
        &mut self,
        store: &mut K,
        now: DateTime<Utc>,
    ) -> Result<(), UnreadIds> {
        let size: usize = self.recent.iter().map(String::len).sum();
        if self.part.is_none() || size <= INLINE {
            return Ok(());
        }
        let since = self.since(store).await?;
        if since.len() > store.known_capacity() {
            self.refuse(now);
        } else {
            self.put_since(&since);
        }
        Ok(())
    }

    fn put_since(&mut self, since: &Ids) {
        let list = self.seal(since);
        self.recent = match list.segments.is_empty() {
            true => since.iter().map(str::to_owned).collect(),
            false => BTreeSet::new(),
        };
        if let Some(part) = &mut self.part {
            part.since = list;
        }
    }

    /// Reads a list of the checkpoint, with its segments.
    pub(in crate::poll) async fn load<K: CheckpointStore>(
        &self,
        list: &IdList,
        store: &mut K,
    ) -> Result<Ids, UnreadIds> {
        let mut all = Ids::default();
        for IdSegment { name, count } in &list.segments {
            let fresh = self
                .fresh
                .iter()
                .find(|segment| segment.name().as_str() == name);
            let segment = match fresh {
                Some(segment) => segment.clone(),
                None => Segment::load(store, name, Holds::Ids).await?,
            };
            all = all.and(&Ids::decode(segment.body(), *count)?);
        }
        if list.entries.is_empty() {
            return Ok(all);
        }
        let inline = Ids::decode(
            &Ids::from_text(&list.entries)?,
            list.count.saturating_sub(sealed(list)),
        )?;
        Ok(all.and(&inline))
    }

    /// The form in which ids are stored: in the checkpoint while they are few.
    fn seal(&mut self, ids: &Ids) -> IdList {
        let mut list = IdList {
            count: count(ids.len()),
            ..IdList::default()
        };
        match &ids.encode(INLINE)[..] {
            [] => {}
            [(bytes, _)] => list.entries = Ids::to_text(bytes),
            _ => {
                for (body, number) in ids.encode(Segment::BODY) {
                    let segment = Segment::seal(Holds::Ids, &body);
                    list.segments.push(IdSegment {
                        name: segment.name().to_string(),
                        count: count(number),
                    });
                    self.fresh.push(segment);
                }
            }
        }
        list
    }
}

/// The ids that a list holds itself.
fn inline(list: &IdList) -> Result<BTreeSet<String>, DamagedIds> {
    if list.entries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids = Ids::decode(
        &Ids::from_text(&list.entries)?,
        list.count.saturating_sub(sealed(list)),
    )?;
    Ok(ids.iter().map(str::to_owned).collect())
}

/// Number of ids in a list's segments.
fn sealed(list: &IdList) -> i64 {
    list.segments
        .iter()
        .map(|segment| segment.count)
        .fold(0, i64::saturating_add)
}

fn entries(ids: &BTreeSet<String>) -> String {
    let ids: Ids = ids.iter().map(String::as_str).collect();
    let encoded = ids.encode(usize::MAX);
    encoded
        .first()
        .map_or_else(String::new, |(bytes, _)| Ids::to_text(bytes))
}

fn count(ids: usize) -> i64 {
    i64::try_from(ids).unwrap_or(i64::MAX)
}
