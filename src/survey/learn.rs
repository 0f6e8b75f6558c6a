//! What a survey reads and asks before it is final: through the caller's readers, with the results laid over the world.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::{Answer, AwsFacts, Question};
use crate::mesh::{FreshStores, SecretAccess, StoreKey, StoreState, Unread, World};
use crate::policy::{CLASSES_KEY, GROUPS_KEY};
use crate::rules::LeftOut;
use crate::sources::{AwsReader, StoreReader};
use crate::survey::Surveyor;
use crate::text::plural;

/// How many stores are requested at a time: progress is reported after each batch.
const STORES_AT_ONCE: usize = 64;
/// The most rounds of questions to AWS, as answers lead to further questions.
const MOST_ROUNDS: usize = 4;
/// The longest time for one batch of questions to AWS.
const PATIENCE: Duration = Duration::from_secs(120);

/// The progress of reading stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoresRead {
    /// How many have been read.
    pub stores: usize,
    /// How many there are.
    pub of: usize,
}

impl Surveyor<'_> {
    /// Reads the Secrets that objects mount, each by name, if they are read on demand; reports how many couldn't be read.
    /// Known ones aren't read again.
    pub(crate) async fn read_stores(
        &mut self,
        reader: &dyn StoreReader,
        tell: &(dyn Fn(StoresRead) + Sync),
    ) -> Option<String> {
        if self.objects.look(World::secret_access) != SecretAccess::OnDemand {
            return None;
        }
        loop {
            let mut wanted: Vec<StoreKey> = self.look().stores.iter().cloned().collect();
            wanted.retain(|key| !self.read.overlay.stores.contains_key(key));
            if wanted.is_empty() {
                return unread(&self.read.overlay.stores);
            }
            for some in wanted.chunks(STORES_AT_ONCE) {
                let read = reader.read(some.to_vec()).await;
                self.look = None;
                let fresh = &mut self.read.overlay.stores;
                // A store without an answer would be requested forever.
                let unanswered = some.iter().filter(|key| !read.contains_key(*key));
                fresh.extend(unanswered.map(|key| (key.clone(), StoreState::Unread(Unread::NotAllowed))));
                fresh.extend(read);
                tell(StoresRead { stores: fresh.len(), of: fresh.len().max(wanted.len()) });
            }
        }
    }

    /// Asks AWS about what objects refer to there, following the answers: from a certificate to its authority.
    pub(crate) async fn ask(&mut self, aws: &dyn AwsReader) {
        if !aws.asks() {
            return;
        }
        for _ in 0..MOST_ROUNDS {
            let wanted: Vec<Question> = self.look().questions.iter().cloned().collect();
            if wanted.is_empty() {
                break;
            }
            let answers = aws.ask(wanted, Instant::now() + PATIENCE).await;
            self.look = None;
            self.read.aws.extend(answers);
        }
    }
}

/// What to report about stores that couldn't be read.
fn unread(stores: &FreshStores) -> Option<String> {
    let failed = stores.values().filter_map(|state| match state {
        StoreState::Unread(Unread::Failed(why)) => Some(why),
        _ => None,
    });
    let why = failed.clone().next()?;
    Some(format!(
        "{} of {} Secrets could not be read, so that what is in them isn't judged: {why}",
        failed.count(),
        stores.len()
    ))
}

/// The number of certificates and authorities among unasked questions.
pub(super) fn not_asked(unknown: &BTreeSet<Question>) -> usize {
    unknown.iter().filter(|question| matches!(question, Question::Certificate(_) | Question::Authority(_))).count()
}

/// Notes about failed questions, objects whose Region or account isn't known, and what isn't judged.
pub(super) fn notes(facts: &AwsFacts, unplaced: usize, left_out: &LeftOut) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = facts.iter().find_map(|(question, answer)| match answer {
        Answer::Unanswered(why) if question.is_about_roles() => Some(why),
        _ => None,
    }) {
        notes.push(format!("the roles of proxies and the controller were not all checked: {why}"));
    }
    if unplaced > 0 {
        notes.push(format!(
            "the Region or the account of {} is not known: ACM references were not compared with it \
             (set aws.region and aws.account in the policy)",
            plural(unplaced, "object")
        ));
    }
    let LeftOut { by_groups, classes, routes, policies } = left_out;
    if *by_groups > 0 {
        notes.push(format!(
            "{} services through {GROUPS_KEY}, which aren't evaluated: set {GROUPS_KEY}.enabled: true in the policy if the controller has them enabled",
            match by_groups {
                1 => "1 object calls".to_owned(),
                several => format!("{several} objects call"),
            }
        ));
    }
    for (class, gateways) in classes {
        notes.push(format!(
            "class {class} isn't there, or meshvet doesn't know its controller: {} judged by the specification alone \
             ({CLASSES_KEY}.{class} in the policy can name the controller of a class that isn't there)",
            were(*gateways, "gateway", "gateways")
        ));
    }
    if *routes > 0 {
        notes.push(format!(
            "{} not compared with certificates: the gateways they name aren't there",
            were(*routes, "route", "routes")
        ));
    }
    if *policies > 0 {
        notes.push(format!(
            "{} not compared with certificates: no route of a gateway that is there leads to what they are for",
            were(*policies, "policy", "policies")
        ));
    }
    notes
}

/// `1 route was`, `2 policies were`.
fn were(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one} was") } else { format!("{count} {several} were") }
}
