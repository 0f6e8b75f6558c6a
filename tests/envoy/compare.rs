//! What was said of pairings against what came of them.

use jiff::Timestamp;

use crate::differences::{self, Level};
use crate::manifests::{Denial, denials};
use crate::pairing::Pairing;
use crate::predict::{Prediction, contains, predict};
use crate::proxies::{Outcome, Proxies};

/// A pairing with what was said of it and what came of it.
pub(crate) struct Compared {
    pub(crate) pairing: Pairing,
    prediction: Prediction,
    /// `None`: it can't be written as manifests.
    denials: Option<Vec<Denial>>,
    outcome: Outcome,
}

pub(crate) fn compare(proxies: &Proxies, pairings: Vec<Pairing>) -> Vec<Compared> {
    let outcomes = proxies.run(&pairings);
    let now = Timestamp::now();
    let compared = pairings.into_iter().zip(outcomes).map(|(pairing, outcome)| Compared {
        prediction: predict(&pairing, now),
        denials: denials(&pairing, now),
        pairing,
        outcome,
    });
    compared.collect()
}

impl Compared {
    /// Whether both levels agree with Envoy, or are known not to.
    pub(crate) fn agree(&self) -> Result<(), String> {
        for (level, held) in [(Level::Certificates, self.prediction_holds()), (Level::Rules, self.rules_hold())] {
            match (held, differences::reason(&self.pairing.name, level)) {
                (Ok(()), None) | (Err(_), Some(_)) => {}
                (Err(error), None) => return Err(error),
                (Ok(()), Some(reason)) => {
                    return Err(format!("a known difference has gone away ({reason}): take it off the list"));
                }
            }
        }
        Ok(())
    }

    fn prediction_holds(&self) -> Result<(), String> {
        let Self { prediction, outcome, .. } = self;
        if prediction.holds(outcome) {
            return Ok(());
        }
        Err(format!("of the files it was said: {prediction:#?}\nbut Envoy: {outcome:#?}"))
    }

    /// Whether something denies exactly when it doesn't work, and some denial quotes what Envoy says.
    fn rules_hold(&self) -> Result<(), String> {
        let Some(denials) = &self.denials else { return Ok(()) };
        let logs = match &self.outcome {
            Outcome::Works => Vec::new(),
            Outcome::Fails { client, server } => vec![client.as_str(), server.as_deref().unwrap_or_default()],
            Outcome::Refused { log, .. } => vec![log.as_str()],
        };
        let works = self.outcome == Outcome::Works;
        if works != denials.is_empty() {
            return Err(format!("of the manifests it was said: {denials:#?}\nbut Envoy: {:#?}", self.outcome));
        }
        let quotes = |denial: &Denial| !denial.quote.is_empty() && logs.iter().any(|log| contains(log, &denial.quote));
        if works || denials.iter().any(quotes) {
            return Ok(());
        }
        Err(format!("no denial quotes Envoy: {denials:#?}\nEnvoy: {:#?}", self.outcome))
    }

    /// What is wrong with a random pairing: the files' prediction is to hold unless nothing is claimed, and the rules
    /// may never deny what works.
    pub(crate) fn random_failure(&self) -> Option<String> {
        let claimed = !matches!(self.prediction, Prediction::Unknown(_));
        let wrong = if claimed { self.prediction_holds().err() } else { None };
        let denied = (self.outcome == Outcome::Works && self.is_denied()).then(|| self.rules_hold().err()).flatten();
        let error = wrong.or(denied)?;
        let files: Vec<String> = self
            .pairing
            .files()
            .into_iter()
            .filter(|(file, _)| !file.ends_with("key"))
            .map(|(file, content)| {
                format!("{file}:\n{}", String::from_utf8_lossy(content.as_deref().unwrap_or_default()))
            })
            .collect();
        Some(format!("{}: {error}\n{}", self.pairing.name, files.join("\n")))
    }

    fn is_denied(&self) -> bool {
        self.denials.as_ref().is_some_and(|denials| !denials.is_empty())
    }
}

/// How often what is said is what comes: for the files, and for the manifests.
pub(crate) fn rates(all: &[Compared]) -> String {
    let works = |one: &&Compared| one.outcome == Outcome::Works;
    let working = all.iter().filter(works).count();
    let failing = all.len() - working;
    let unknown = all.iter().filter(|one| matches!(one.prediction, Prediction::Unknown(_))).count();
    let exact = all.iter().filter(|one| one.prediction.holds(&one.outcome)).count();
    let written: Vec<&Compared> = all.iter().filter(|one| one.denials.is_some()).collect();
    let false_denials = written.iter().filter(|one| works(one) && one.is_denied()).count();
    let should_deny = written.iter().filter(|one| !works(one)).count();
    let missed: Vec<&&Compared> = written.iter().filter(|one| !works(one) && !one.is_denied()).collect();
    let mut out = format!(
        "{} pairs: {working} work, {failing} fail\n\
         files: {exact} as Envoy says, text included; {unknown} not claimed\n\
         manifests: {false_denials} of {} that work are denied; {} of {should_deny} that fail are missed",
        all.len(),
        written.len() - should_deny,
        missed.len(),
    );
    for one in missed.iter().take(10) {
        out += &format!("\n  missed: {}: {:?}", one.pairing.name, one.outcome);
    }
    out
}
